import { always, rowsOf } from '../row.ts'

/** What the workers of a run may do. */
export const securityRows = rowsOf('FleetSecurityPolicy', {
  allow_parallel_reads: {
    rules: ['SE1'],
    tests: [
      'SE1 what a policy says of parallel reads is handed to the worker',
      'SE1 says whether allow_parallel_reads is set',
      'SE1 BU2 its input file holds allow_parallel_reads',
    ],
    otherwise: always,
  },
})
