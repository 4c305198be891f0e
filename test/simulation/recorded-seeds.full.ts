import { replayRecordedSeeds } from './recorded-seeds.ts'

replayRecordedSeeds(50, { kindsOfFaults: 12, openings: 3 })
