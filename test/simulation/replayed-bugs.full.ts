import { plantedBugs } from './planted-bugs.ts'
import { replayWithBugs } from './replayed-bugs.ts'

// A recording shows what is decided otherwise.
replayWithBugs(
  plantedBugs.filter(({ isOfReading = false }) => !isOfReading),
  12,
)
