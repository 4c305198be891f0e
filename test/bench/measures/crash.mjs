import { noops, openFleet } from '../contestants/flotilla.mjs'

/** Works on a run until nine of ten tasks were started, then dies as by kill -9. */
export default async function crash({ folder, tasks }) {
  let started = 0
  const onStart = () => {
    started += 1
    if (started >= tasks * 0.9) process.kill(process.pid, 'SIGKILL')
  }
  const fleet = await openFleet({ store: 'json', folder, slots: 64, onStart })
  const run = await fleet.start({ name: 'crash', tasks: noops(tasks) })
  await run.result()
  return {}
}
