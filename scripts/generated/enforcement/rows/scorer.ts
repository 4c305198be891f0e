import { rowsOf } from '../row.ts'

const confined = 'VE2 the path of %s does not leave the root'
const unusable = 'a `verifier` failure'

/** How results are checked. */
export const scorerRows = rowsOf('FleetScorerSpec', {
  exit_code: { rules: ['VE2'], tests: ['VE2 exit_code: %s'], otherwise: 'without a code a `transport` failure' },
  'file_exists file_exists.path': {
    rules: ['VE2'],
    tests: ['VE2 file_exists passes on a regular file', confined],
    control: ['VE2 file_exists passes on a regular file'],
    otherwise: 'refused as `invalid_document` where its path has a `..`; otherwise what leads out fails the task',
  },
  'regex_match regex_match.path': {
    rules: ['VE2'],
    tests: ['VE2 regex_match finds a pattern anywhere in the text', confined, 'VE2 evidence that is too large or no UTF-8'],
    control: ['VE2 regex_match finds a pattern anywhere in the text'],
    otherwise: `refused as \`invalid_document\` where its path has a \`..\`; evidence that cannot be read is ${unusable}`,
  },
  'regex_match.pattern': {
    rules: ['VE2'],
    tests: ['VE2 a pattern that cannot be used is a failure of the verifier', 'VE2 a pattern that is made to take for ever'],
    control: ['VE2 regex_match finds a pattern anywhere in the text'],
    otherwise: `a pattern that cannot be used is ${unusable}`,
  },
  'json_path json_path.path': {
    rules: ['VE2'],
    tests: ['VE2 json_path passes when a result exists and is not null', confined, 'VE2 a file that is no JSON fails the task'],
    control: ['VE2 json_path passes when a result exists that is neither'],
    otherwise: `refused as \`invalid_document\` where its path has a \`..\`; evidence that cannot be read is ${unusable}`,
  },
  'json_path.expression': {
    rules: ['VE2'],
    tests: ['VE2 an expression that cannot be used is a failure of the verifier'],
    control: ['VE2 json_path passes when a result exists that is neither'],
    otherwise: `an expression that cannot be used is ${unusable}`,
  },
  manual: {
    rules: ['VE5', 'SC5'],
    tests: ['VE5 manual is partial with half a score', 'SC5 an unsettled manual task holds its dependants'],
    otherwise: 'always possible: it waits for `settle`',
  },
})
