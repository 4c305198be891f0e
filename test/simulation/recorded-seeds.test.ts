import { replayRecordedSeeds } from './recorded-seeds.ts'

// The long tests play fifty.
replayRecordedSeeds(8, { kindsOfFaults: 6, openings: 2 })
