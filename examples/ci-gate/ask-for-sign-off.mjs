// Puts the question to whoever settles this task: `flotilla settle RUN sign-off pass --by NAME`.
import { readInput, writeOutput } from './evidence.mjs'

const { checks, passed } = readInput().dependencies.report.output
writeOutput({ question: `Release, with ${passed} of ${checks} checks passed?` })
console.log(`${passed} of ${checks} checks passed. A person decides.`)
