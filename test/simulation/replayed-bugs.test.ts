import { plantedBugs } from './planted-bugs.ts'
import { replayWithBugs } from './replayed-bugs.ts'

// The long tests play every one of them.
const backoff = plantedBugs.filter(({ file }) => file === 'src/engine/retry.ts').slice(0, 1)
replayWithBugs(backoff, 2)
