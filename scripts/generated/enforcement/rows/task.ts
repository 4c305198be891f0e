import { always, rowsOf, written } from '../row.ts'

const whole = 'SC3 a task is handed to its worker whole'
const profile = 'SC3 the profile of a task is handed to its worker as it is'
const merged = 'SC3 the worker is handed what applies'
const first = 'SC3 each value comes from the first that names one'
const missing = 'WS2 everything that is missing is told at once'
const there = 'WS2 files that are there, and globs that match, let it start'
const overlap = 'SC7 overlapping writable_paths do not hold leases at once'

/** Tasks: what is asked for, of whom, and within which bounds. */
export const taskRows = [
  ...rowsOf('FleetTaskSpec', {
    id: {
      rules: ['WI6', 'SC3'],
      tests: [whole, 'WI6 ids of tasks and of workers stand once'],
      control: [whole],
      otherwise: 'refused as `invalid_document` where it stands twice',
    },
    name: { rules: ['SC3', 'RU9'], tests: [whole, 'RU9 tasks gives a view of each task'], otherwise: always },
    'description objective instructions context': { rules: ['SC3'], tests: [whole], otherwise: always },
    worker: { rules: ['SC3'], tests: [profile], otherwise: 'each of its fields says' },
    workspace: {
      rules: ['WS1'],
      tests: ['WS1 workspace.root is resolved under the workspace of the fleet'],
      otherwise: 'each of its fields says',
    },
    input_files: {
      rules: ['WS2'],
      tests: [missing, 'WS2 a path that leaves the root is refused at creation'],
      control: [there],
      otherwise:
        'refused as `invalid_document` where a path leaves the root; a missing file is a final `task` failure that names it',
    },
    budget: { rules: ['BU2'], tests: ['BU2 crossing budget.max_tokens asks for'], otherwise: 'each of its fields says' },
    tags: {
      rules: ['LE9', 'RU5', 'EV2', 'RU9'],
      tests: [
        'LE9 retryFailed restarts what failed, of all or by tag',
        'RU5 cancel by tags cancels the tasks with one of them',
        'EV2 events of tags are those of the tasks with one of them',
        'RU9 explainAll tells of every task that has not ended',
      ],
      otherwise: always,
    },
    expected_artifacts: {
      rules: ['AR5'],
      tests: ['AR5 expected artifacts that are missing at the end make the receipt partial'],
      otherwise: '`partial` at best, naming what is missing',
    },
    scorer: { rules: ['VE1'], tests: ['VE1 a worker’s word is not enough'], otherwise: 'each of its kinds says' },
    retry_policy: { rules: ['RE1'], tests: ['RE1 an absent policy equals {}'], otherwise: 'each of its fields says' },
    timeout_seconds: {
      rules: ['LE7'],
      tests: ['LE7 timeout_seconds bounds the attempt from its start'],
      otherwise: 'the attempt ends as `timeout`; the retry policy decides on another',
    },
    metadata: {
      rules: ['SC3', 'WI9'],
      tests: [whole, 'WI9 reserved metadata has its types'],
      otherwise: always,
    },
    'metadata.priority': { rules: ['SC2'], tests: ['SC2 within a run priority counts first'], otherwise: always },
    'metadata.class': {
      rules: ['SC6'],
      tests: ['SC6 no more tasks of one metadata.class work at once', 'SC6 no more tasks of a class begin in an interval'],
      control: ['SC6 a class without a limit is not limited'],
      otherwise: 'the task waits, and `explain` says for which limit',
    },
    'metadata.coordination_contracts': {
      rules: ['SC7'],
      tests: ['SC7 metadata.coordination_contracts are claims by name'],
      control: ['SC7 a task without claims waits for nobody'],
      otherwise: 'the task waits, and `explain` says for whom',
    },
    'metadata.command': {
      rules: ['SC3', 'RE3'],
      tests: [
        'SC3 a task with metadata.command goes only to command workers',
        'RE3 a program that does not exist or may not be run',
      ],
      otherwise:
        'a program that cannot be run is a final `task` failure; without a command worker the task waits, and creation warns',
    },
    depends_on: {
      rules: ['SC5'],
      tests: [
        'SC5 a task is blocked until all that it depends on have completed',
        'SC5 when a dependency fails, its dependants end cancelled',
        'SC5 a cycle is named with every task on it',
      ],
      control: ['SC5 chains, diamonds and forests have no problem'],
      otherwise: 'refused as `invalid_document` for cycles and unknown ids; where a dependency fails the task ends `cancelled`',
    },
    handler: {
      rules: ['SC3'],
      tests: ['SC3 a task that names a handler goes only to a worker that serves it'],
      otherwise: 'warned of at creation; the task waits, and `explain` says why',
    },
    input: {
      rules: ['SC3', 'VE8', 'RE3'],
      tests: [whole, 'VE8 input goes through its schema before run', 'RE3 a refused input is final'],
      otherwise: 'what its handler’s schema refuses is a final `task` failure',
    },
    concurrency_key: {
      rules: ['SC6'],
      tests: ['SC6 tasks of one concurrency_key work one at a time'],
      control: ['SC6 a class without a limit is not limited'],
      otherwise: 'the task waits, and `explain` says for which limit',
    },
    not_before: {
      rules: ['SC2'],
      tests: ['SC2 not_before delays a task', 'SC2 a moment that has passed delays nothing'],
      otherwise: always,
    },
  }),
  ...rowsOf('FleetTaskWorkerProfile', {
    role: {
      rules: ['SC3'],
      tests: ['SC3 a worker that names roles serves only those', profile],
      otherwise: 'warned of at creation; the task waits, and `explain` says why',
    },
    agent_profile: {
      rules: ['SC3'],
      tests: ['SC3 an unknown profile is refused at creation with its field', merged],
      control: [merged],
      otherwise: 'refused as `unenforceable` where no such profile is registered, or where it would widen the policy',
    },
    'loadout model_class model tool_profile': { rules: ['SC3'], tests: [profile, first], otherwise: always },
    tools: {
      rules: ['SC3'],
      tests: [profile, 'SC3 tools beyond those of the profile or of the preset are refused'],
      control: ['SC3 tools beyond those of the profile or of the preset are refused'],
      otherwise: 'refused as `unenforceable` where they go beyond those of the profile or of the role’s preset',
    },
    instructions: { rules: ['SC3'], tests: [merged], otherwise: always },
    trust_level: {
      rules: ['SE1'],
      tests: [
        'SE1 the level of a preset holds the work to it',
        'SE1 a level above max_trust_level is refused at the field',
        'SE1 the level is the lowest that any of them names',
      ],
      control: ['SE1 a level above max_trust_level is refused at the field'],
      otherwise: 'refused as `unenforceable` above `max_trust_level`',
    },
    'resolution resolution.profile_origin resolution.sources': {
      rules: ['SC3'],
      tests: [first, 'SC3 what a document claims to have been merged is not read'],
      otherwise: written,
    },
    capabilities: {
      rules: ['SC3'],
      tests: ['SC3 a worker must have all capabilities that a task asks for'],
      otherwise: 'warned of at creation; the task waits, and `explain` says why',
    },
  }),
  ...rowsOf('FleetWorkspaceRequirements', {
    root: {
      rules: ['WS1'],
      tests: ['WS1 workspace.root is resolved under the workspace of the fleet', 'WS1 it is refused where it %s'],
      control: ['WS1 is the workspace folder itself, or a folder in it'],
      otherwise: 'refused as `invalid_document` where it has a `..`; one that leads out otherwise is a final `task` failure',
    },
    required_files: {
      rules: ['WS2', 'RE3'],
      tests: [
        missing,
        'RE3 what the workspace lacks is a final task failure',
        'WS2 a path that leaves the root is refused at creation',
      ],
      control: [there],
      otherwise:
        'refused as `invalid_document` where a path leaves the root; a missing file is a final `task` failure that names it',
    },
    writable_paths: {
      rules: ['SC7', 'WS4'],
      tests: [overlap, 'SC7 claims reach across runs', 'WS4 a task gets those of its writable_paths that were granted'],
      control: ['SC7 a task without claims waits for nobody', 'WS4 only what was granted can be written'],
      otherwise: 'the task waits, and `explain` says for whom; at `sandbox` it is not run with a path that was not granted',
    },
    environment: {
      rules: ['WS3'],
      tests: ['WS3 a worker gets the values of the names that its task requires or allows'],
      otherwise: 'each of its fields says',
    },
  }),
  ...rowsOf('FleetEnvironmentRequirements', {
    required: {
      rules: ['WS3'],
      tests: ['WS3 names that are required must be set'],
      control: ['WS3 a worker gets the values of the names that its task requires or allows'],
      otherwise: 'a name that is not set is a final `task` failure that names it',
    },
    allowlist: {
      rules: ['WS3'],
      tests: [
        'WS3 a worker gets the values of the names that its task requires or allows',
        'WS3 names that look like secrets are refused in an allowlist, at creation',
        'WS3 LE6 its environment is the essentials',
      ],
      control: ['WS3 a worker gets the values of the names that its task requires or allows'],
      otherwise: 'refused as `unenforceable` where a name looks like a secret',
    },
  }),
  ...rowsOf('FleetTaskBudget', {
    max_tokens: {
      rules: ['BU2', 'BU3'],
      tests: [
        'BU2 crossing budget.max_tokens asks for',
        'BU2 who hands nothing back within the grace is stopped',
        'BU3 retries share the budget of the task',
      ],
      control: ['BU2 a task that spends all that budget.max_tokens allows'],
      otherwise: 'asked for what there is, `partial` at best; after the grace a final failure, `budget_exceeded`',
    },
    max_tool_calls: {
      rules: ['BU1'],
      tests: ['BU1 tool calls are counted from running_tool'],
      control: ['BU1 tool calls are counted from running_tool'],
      otherwise: 'as `max_tokens`',
    },
    max_seconds: {
      rules: ['BU1', 'BU2'],
      tests: ['BU1 BU2 seconds are measured by the fleet', 'BU2 what is handed back when the seconds are used up'],
      control: ['BU2 a budget only narrows'],
      otherwise: 'as `max_tokens`, but the attempt ends as `timeout`',
    },
  }),
  ...rowsOf('FleetRetryPolicy', {
    max_attempts: { rules: ['RE1'], tests: ['RE1 exactly max_attempts attempts are made'], otherwise: always },
    'initial_backoff_seconds max_backoff_seconds backoff_multiplier': {
      rules: ['RE2'],
      tests: ['RE2 the wait is min(max, initial · multiplier^(n−1)) seconds', 'RE2 attempt n+1 is leased when its wait is over'],
      otherwise: always,
    },
    retry_on: { rules: ['RE3'], tests: ['RE3 every failure but verifier is retried by default; retry_on'], otherwise: always },
  }),
]
