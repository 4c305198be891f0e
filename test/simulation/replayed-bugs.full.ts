import { plantedBugs } from './planted-bugs.ts'
import { replayWithBugs } from './replayed-bugs.ts'

replayWithBugs(plantedBugs, 12)
