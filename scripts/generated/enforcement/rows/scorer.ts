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
  command: {
    rules: ['VE3', 'SE2'],
    tests: ['VE3 SE3 sees the workspace and what the attempt left', 'SE2 VE3 a task whose scorer is a command is refused'],
    control: ['VE3 SE4 what was granted to the task may be written by its scorer'],
    otherwise: 'refused as `unenforceable` where nothing can hold it to the trust level of its task',
  },
  'command.command': {
    rules: ['VE3', 'RE7'],
    tests: ['VE3 the host of the task’s worker is asked', 'RE7 one that cannot be started, or is killed'],
    control: ['VE3 runs in the task’s root, and its exit code'],
    otherwise: `one that cannot be started is ${unusable}`,
  },
  'command.args': {
    rules: ['VE3'],
    tests: ['VE3 the host of the task’s worker is asked', 'VE3 goes through no shell'],
    otherwise: `where they cannot be handed over, ${unusable}`,
  },
  code_whale_verifier_prompt: {
    rules: ['VE4', 'RE7'],
    tests: [
      'VE4 with none registered the receipt is partial',
      'VE4 an answer of %j is a %s',
      'VE4 RE7 one that %s is a verifier failure',
    ],
    otherwise: 'always possible: with no verifier it waits for `settle`',
  },
  'code_whale_verifier_prompt.prompt': {
    rules: ['VE4'],
    tests: ['VE4 the verifier is asked with the prompt'],
    otherwise: 'always possible: it is handed to the verifier',
  },
  manual: {
    rules: ['VE5', 'SC5'],
    tests: ['VE5 manual is partial with half a score', 'SC5 an unsettled manual task holds its dependants'],
    otherwise: 'always possible: it waits for `settle`',
  },
})
