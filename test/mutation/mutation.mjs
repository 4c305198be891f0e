// Changes the sources, one small change after the other, and sees whether a test notices: `npm run test:mutation -- --only engine`.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { areas, chosenGroups } from './areas.mjs'
import { installPackages } from './packages.mjs'
import { readOptions, usage } from './options.mjs'
import { textReport } from './report.mjs'
import { fileOf, settings } from './settings.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = '.flotilla/mutation'

try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) console.log(usage(Object.keys(areas)))
  else await mutate(options)
} catch (error) {
  console.error(error.message)
  process.exitCode = 2
}

async function mutate({ only, shown, ...options }) {
  process.chdir(root)
  const groups = chosenGroups(only)
  mkdirSync(folder, { recursive: true })
  if (!shown) {
    installPackages()
    const { Stryker } = await import('@stryker-mutator/core')
    for (const group of groups) {
      console.error(group.name)
      // Read by vitest.config.mjs, in the processes that run the tests.
      process.env.FLOTILLA_MUTATION = group.name
      await new Stryker(settings(group, { folder, ...options })).runMutationTest()
    }
  }
  console.log(textReport(groups, (group) => `${fileOf(group, { folder, ...options })}.jsonl`))
}
