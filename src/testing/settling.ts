/**
 * Requests that turns of the event loop end: to the file system, to the pool of threads. Timers and sockets are not among them: what
 * waits for those is not settled by turns.
 */
const underWay = /^(?:FSReq|FileHandleClose|CloseReq|RandomBytes|PBKDF2|Scrypt|Hash|Sign|Cipher|KeyGen|KeyPair|Zlib)/

/** What one turn ends. */
const immediate = 'Immediate'

/** So long, really, may a request take; one that never ends, as the reading of a pipe that nobody writes, must not hang a test. */
const patienceMs = 10_000

/** After so many settlings without one, a turn is taken all the same, so that the timers of a test runner get theirs. */
const turnEvery = 64

/**
 * Makes a function that resolves when nothing can go on by itself any more: every promise that could settle has, and no request to the
 * file system or to the pool of threads is under way. In a fleet that lives in memory it takes no turn of the event loop.
 */
export function createSettling(): () => Promise<void> {
  let sinceTurn = 0

  function isSettled(): boolean {
    sinceTurn += 1
    const active = process.getActiveResourcesInfo()
    return sinceTurn < turnEvery && !active.includes(immediate) && !active.some(isUnderWay)
  }

  async function throughTurns(): Promise<void> {
    sinceTurn = 0
    await turn()
    if (isBusy()) await untilIdle()
  }

  return () =>
    new Promise((resolve) => {
      // Twice: what is done in a tick may ask for one more.
      whenQuiet(() => whenQuiet(() => resolve(isSettled() ? undefined : throughTurns())))
    })
}

async function untilIdle(): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  while (isBusy()) {
    if (performance.now() > giveUpAt)
      throw new Error(
        `Requests are under way that do not end within ${patienceMs / 1000} s: ${process.getActiveResourcesInfo().join(', ')}.`,
      )
    await turn()
  }
}

function isBusy(): boolean {
  return process.getActiveResourcesInfo().some(isUnderWay)
}

function isUnderWay(kind: string): boolean {
  return underWay.test(kind)
}

/** A tick that is asked for by a promise runs when every promise has. */
function whenQuiet(act: () => void): void {
  void promise.then(() => process.nextTick(act))
}

const promise = Promise.resolve()

/** An immediate runs when every promise and every tick before it has. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
