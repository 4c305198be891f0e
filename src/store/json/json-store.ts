/** The store in a folder of JSON files, and its doctor. It is loaded when something is first asked of one, all at once (0025). */
export { nodeDisk } from './disk.ts'
export { inspectFolder } from './doctor/inspect-store.ts'
export { repairFolder } from './doctor/repair-store.ts'
export { verifyChain } from './doctor/verify-run.ts'
export { hostFacts } from './process-identity.ts'
export { createJsonStore } from './store.ts'
