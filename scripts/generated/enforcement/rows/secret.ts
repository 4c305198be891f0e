import { rowsOf } from '../row.ts'

const granted = 'SE5 an attempt gets the secrets that its run allows, and no others'
const bySource = 'SE5 a reference without a source is looked for in each, one with a source there alone'
const lost = 'SE5 that are nowhere fail the task for good, named and not valued'

/** What is handed over in secret. */
export const secretRows = [
  ...rowsOf('FleetSecurityPolicy', {
    allowed_secrets: {
      rules: ['SE5'],
      tests: [
        granted,
        'SE5 a worker at sandbox gets none',
        'SE5 is seen nowhere, though functions and commands print it everywhere',
      ],
      control: ['SE5 a worker at sandbox gets none', 'SE5 is seen everywhere once nothing is redacted'],
      otherwise: 'refused as `unenforceable` where nobody could have them, or no source could know one',
    },
  }),
  ...rowsOf('FleetSecretRef', {
    key: {
      rules: ['SE5'],
      tests: [granted, lost],
      otherwise: 'a key that no source has fails the task for good, named and not valued',
    },
    source: {
      rules: ['SE5'],
      tests: [bySource, lost],
      control: [bySource],
      otherwise: 'refused as `unenforceable` where there is no such source',
    },
  }),
]
