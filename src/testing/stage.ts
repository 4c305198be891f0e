import type { Fleet } from '../fleet/fleet.ts'
import { seededIds } from '../host/seeded-ids.ts'
import { FleetError } from '../protocol/errors.ts'
import type { FleetRunSpecInput } from '../protocol/run-spec.ts'
import type { Duration } from './duration.ts'
import type { WatchedTestFleet } from './test-fleet.ts'
import type { Watch } from './watch.ts'

/** A scenario's hands: what it does, and what it draws, follows from the seed. */
export interface Stage {
  readonly seed: string
  /** Of `most` things so many: 1 to `most`, and no more than the simulation's size, which grows small when a failure is shrunk. */
  upTo(most: number): number
  chance(probability: number): boolean
  /** A whole number, both ends included. */
  number(from: number, to: number): number
  pick<Item>(items: readonly [Item, ...Item[]]): Item
  /** Lets time pass. */
  wait(time: Duration): Promise<void>
  /** Creates a run with this id and starts it; when the process dies over it, the next one is asked again. */
  start(spec: FleetRunSpecInput & { readonly id: string }): Promise<void>
  /**
   * Does something with the fleet. A refusal, a store that fails and a process that dies are part of the story: then it gives false. What
   * is not a `FleetError` is a failure.
   */
  act(what: string, act: (fleet: Fleet) => Promise<unknown>): Promise<boolean>
  /** The process ends, and the next one comes up. */
  crash(options?: { readonly downFor?: Duration }): Promise<void>
  /** Another process takes the store over while this one goes on, and finds out that it lost it. */
  takeOver(): Promise<void>
  /** The process closes in good order, and the next one comes up. */
  restart(): Promise<void>
  /** Counts that something worth seeing happened. */
  saw(situation: string): void
}

/** The hands of a scenario on a fleet that is watched. */
export function stageOf(
  kit: WatchedTestFleet,
  watch: Watch,
  { seed, size }: { readonly seed: string; readonly size: number },
): Stage {
  const draws = seededIds(`${seed} stage`)
  const number = (from: number, to: number): number => from + Math.floor(draws.random() * (to - from + 1))

  async function act(what: string, doIt: (fleet: Fleet) => Promise<unknown>): Promise<boolean> {
    const outcome = await step(kit, watch, async (fleet) => {
      try {
        await doIt(fleet)
        return true
      } catch (error) {
        if (!FleetError.is(error)) throw error
        watch.saw(`refused: ${error.code}`)
        return false
      }
    })
    if (outcome === true) watch.saw(what)
    return outcome === true
  }

  async function ended(end: () => Promise<void>): Promise<void> {
    await end()
    watch.check()
  }

  return {
    seed,
    upTo: (most) => Math.min(number(1, most), size),
    chance: (probability) => draws.random() < probability,
    number,
    // A number that is drawn from the list's own length is a place in it.
    pick: (items) => items[number(0, items.length - 1)] ?? items[0],
    wait: (time) => ended(() => kit.advance(time)),
    async start(spec) {
      for (let tries = 0; tries < 20; tries += 1) {
        if (await act('a run was started', (fleet) => fleet.start(spec, { idempotencyKey: spec.id }))) return
        await kit.advance('1s')
        watch.check()
      }
    },
    act,
    crash: (options) => ended(() => kit.crash(options)),
    takeOver: () => ended(() => kit.takeOver()),
    restart: () => ended(() => kit.restart()),
    saw: watch.saw,
  }
}

/** Does something with the present process, and gives undefined when that dies, or takes longer than anybody waits. */
export async function step<Answer>(
  kit: WatchedTestFleet,
  watch: Watch,
  act: (fleet: Fleet) => Promise<Answer>,
): Promise<Answer | undefined> {
  const patience = kit.clock.sleep(600_000).then(() => undefined)
  const doing = kit.ready().then((fleet) => Promise.race([act(fleet), watch.death().then(() => undefined)]))
  const answer = await kit.until(Promise.race([doing, patience]))
  watch.check()
  return answer
}
