import { createTestFleet, faults, script, worker } from '../../src/testing/index.ts'
import { task } from './bench-fleet.ts'

/** A fleet that meets retries, a cancellation, a crash, a failing store, a settled verdict and a restart, and records all of it. */
export async function recordedStory(record = true): Promise<{
  readonly recording: Uint8Array
  readonly journal: Uint8Array
  readonly run: string
}> {
  await using fleet = await createTestFleet({
    seed: 'story',
    record,
    workers: [
      worker('w1', { slots: 2 })
        .on('flaky', script().after('2s').tool('cargo').fail('no compiler'), script().after('3s').complete({ ok: true }))
        .on('long', script().after('10m').complete()),
      worker('w2', { remote: true }).on('away', script().after('20s').disconnect('5s').after('1m').complete()),
    ],
    faults: faults({
      exactly: [
        { kind: 'store.unknown', at: 6 },
        // After the opening: how many appends that takes depends on what shares one.
        { kind: 'store.failing', at: 10 },
      ],
    }),
  })
  const tasks = ['flaky', 'long', 'away'].map((id) => task(id, { handler: id }))
  const { id } = await fleet.start({ id: 'story', name: 'story', tasks })
  await fleet.advance('4s')
  await fleet.crash({ downFor: '10s' })
  await fleet.advance('40s')
  await fleet.until((await fleet.run(id)).cancelTask('long'))
  const run = await fleet.run(id)
  await fleet.until(run.result())
  await fleet.until(run.settle('flaky', { result: 'pass', by: 'ada', why: 'it builds' }))
  await fleet.until(run.restart('away'))
  await fleet.until((await fleet.run(id)).result())
  await fleet.close()
  return { recording: await fleet.recording(), journal: await fleet.journal(), run: id }
}
