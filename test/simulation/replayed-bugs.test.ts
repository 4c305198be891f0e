import { plantedBugs } from './planted-bugs.ts'
import { replayWithBugs } from './replayed-bugs.ts'

// The long tests play every one of them.
const backoff = plantedBugs.filter(({ file }) => file === 'src/engine/retry.ts').slice(0, 1)
replayWithBugs(
  backoff,
  2,
  / {2}entry \d+ of run-\d: task\.stepped of t\d#\d to backoff:\n {2}set\.notBefore: \S+ recorded, \S+ now\n {2}set\.notBeforeMs: \d+ recorded, \d+ now\n/,
)
