import { faults } from '../../src/testing/index.ts'

/** Every kind of fault, each about as often as lets runs get somewhere all the same. */
export const allFaults = faults({
  crash: { probability: 0.01, at: 'both' },
  store: { torn: 0.005, failing: 0.01, unknown: 0.02 },
  messages: { drop: 0.01, repeat: 0.02, delay: 0.03, reorder: 0.02 },
  workers: { crash: 0.03, stall: 0.03 },
  clock: { jump: 0.02 },
})
