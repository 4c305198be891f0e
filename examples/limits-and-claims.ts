// Claims and limits: two tasks that write the same folder take turns, and no more than two builds run at once.
import { createFleet, defineTask } from 'flotilla'

let working = 0
let most = 0

const build = defineTask({
  name: 'build',
  async run({ delay }) {
    working += 1
    most = Math.max(most, working)
    await delay(20)
    working -= 1
    return null
  },
})

const fleet = await createFleet({ handlers: { build }, slots: 8, concurrency: { classes: { build: { atOnce: 2 } } } })

const builds = await fleet.start({
  name: 'builds',
  tasks: ['a', 'b', 'c', 'd', 'e'].map((id) => build.task({ id, metadata: { class: 'build' } })),
})
console.log((await builds.explain('e')).waits[0]?.message) //=> The class build has its 2 lease(s) at once.
await builds.result()
console.log(most) //=> 2

most = 0
const writers = await fleet.start({
  name: 'writers',
  tasks: [
    build.task({ id: 'app', workspace: { writable_paths: ['src'] } }),
    build.task({ id: 'login', workspace: { writable_paths: ['src/login'] } }),
  ],
})
const wait = (await writers.explain('login')).waits[0]
console.log(wait?.for, wait?.message.startsWith('It waits for the task app')) //=> claim true
await writers.result()
console.log(most) //=> 1
await fleet.close()
