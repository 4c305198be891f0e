/**
 * Requests that turns of the event loop end: to the file system, to the pool of threads. Timers and sockets are not among them: what
 * waits for those is not settled by turns.
 */
const underWay = /^(?:FSReq|FileHandleClose|CloseReq|RandomBytes|PBKDF2|Scrypt|Hash|Sign|Cipher|KeyGen|KeyPair|Zlib)/

/** So long, really, may a request take; one that never ends, as the reading of a pipe that nobody writes, must not hang a test. */
const patienceMs = 10_000

/**
 * Resolves when nothing can go on by itself any more: every promise that could settle has, and no request to the file system or to the
 * pool of threads is under way. In a fleet that lives in memory this is two turns of the event loop: what was set off may take one of
 * its own.
 */
export async function settled(): Promise<void> {
  await turn()
  await turn()
  if (!isBusy()) return
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
  return process.getActiveResourcesInfo().some((kind) => underWay.test(kind))
}

/** An immediate runs when every promise and every tick before it has. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
