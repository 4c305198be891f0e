import { always, rowsOf, written, type EnforcementRow } from '../row.ts'

const creation: Readonly<Record<string, EnforcementRow>> = {
  id: {
    rules: ['RU2', 'WI9'],
    tests: ['RU2 an id that a run has is refused to another', 'WI9 fleet is reserved for the runs'],
    control: ['RU2 runs that name no id get ids of their own'],
    otherwise: 'refused as `run_exists` where a run has it, as `invalid_document` where it is none',
  },
  name: { rules: ['RU7'], tests: ['RU7 runs lists the runs of the store'], otherwise: always },
  worker_specs: {
    rules: ['SC3', 'ST11'],
    tests: [
      'SC3 a run that brings its own workers is served by them alone',
      'SC3 the same worker id with other facts in a second run is refused',
      'ST11 workers that a run brought along are there again',
    ],
    control: ['SC3 the same worker id with other facts in a second run is refused'],
    otherwise: 'refused as `invalid_document` where a worker of that id is another one',
  },
  labels: { rules: ['RU6'], tests: ['RU6 spec gives the run as the wire writes it'], otherwise: always },
  security_policy: {
    rules: ['SE1'],
    tests: ['SE1 the policy is stored with the run, field by field'],
    otherwise: 'each of its fields says',
  },
  target: {
    rules: ['SC3'],
    tests: ['SC3 target this_computer and another_computer choose by where a worker is'],
    otherwise: 'warned of at creation; the tasks wait, and `explain` says why',
  },
  workflow: {
    rules: ['RU7'],
    tests: ['RU7 the workflow of a run is named in its summary and in run.created'],
    otherwise: always,
  },
  roles: {
    rules: ['WI6'],
    tests: ['WI6 when a run names roles, the role of each task is one of them'],
    control: ['WI6 when a run names roles, the role of each task is one of them'],
    otherwise: 'refused as `invalid_document` where a task has another role',
  },
  max_workers: { rules: ['SC1'], tests: ['SC1 a run takes at most max_workers leases'], otherwise: always },
  worker_defaults: {
    rules: ['SC3'],
    tests: [
      'SC3 the worker is handed what applies',
      'SC3 a profile and a role may come from the run',
      'SC3 tasks that are added are merged like those of a creation',
    ],
    otherwise: 'each of its fields says',
  },
  open: {
    rules: ['RU3', 'RU8'],
    tests: ['RU3 a run that was created open may be empty', 'RU8 add is refused with run_sealed'],
    control: ['RU8 an open run that is not sealed takes tasks'],
    otherwise: always,
  },
  budget: {
    rules: ['BU3'],
    tests: [
      'BU3 the budget of a run spans its tasks',
      'BU3 the seconds of a run are spent by all of its leases together',
      'BU3 a run whose budget is spent takes no tasks and tries none again',
    ],
    otherwise: 'the attempts that run are asked for what they have, then stopped; what waits ends with a `skip` receipt',
  },
}

const machine = 'CO3 the table of the %s machine steps as XState does'

/** Runs, and where they stand. */
export const runRows = [
  ...rowsOf('FleetRunSpec', {
    ...creation,
    tasks: {
      rules: ['RU1', 'RU3'],
      tests: [
        'RU1 a run of one slice is created, started and leased in one append',
        'RU3 a run of no tasks is refused, and nothing',
      ],
      control: ['RU3 a run that was created open may be empty'],
      otherwise: 'refused as `invalid_document` without any, unless the run is `open`',
    },
  }),
  ...rowsOf('FleetRun', {
    ...creation,
    status: {
      rules: ['RU3', 'RU4', 'RU5'],
      tests: [
        'RU3 with a failed and a cancelled task the run has failed',
        'RU4 a paused run gives out no leases',
        'RU5 cancel by tags that no open task has changes nothing',
      ],
      otherwise: written,
    },
    task_specs: { rules: ['RU6'], tests: ['RU6 spec gives the run as the wire writes it'], otherwise: written },
    'created_at updated_at completed_at': {
      rules: ['RU6'],
      tests: ['RU6 created_at, updated_at and completed_at are true', 'RU6 a restart takes completed_at back'],
      otherwise: written,
    },
  }),
  ...rowsOf('FleetRunId', {
    '': {
      rules: ['WI9'],
      tests: ['WI9 an id is 1 to 128 characters of A-Za-z0-9._-'],
      control: ['WI9 an id is 1 to 128 characters of A-Za-z0-9._-'],
      otherwise: 'refused as `invalid_document`',
    },
  }),
  ...rowsOf('FleetRunStatus', {
    pending: { rules: ['ST11', 'CO3'], tests: ['ST11 pending runs are not carried on', machine], otherwise: written },
    'queued running': {
      rules: ['RU4', 'CO3'],
      tests: ['RU4 another run is leased while one is paused', machine],
      otherwise: written,
    },
    paused: { rules: ['RU4'], tests: ['RU4 a paused run gives out no leases'], otherwise: written },
    completed: { rules: ['RU3'], tests: ['RU3 partial receipts leave the run completed'], otherwise: written },
    failed: { rules: ['RU3'], tests: ['RU3 with a failed and a cancelled task the run has failed'], otherwise: written },
    cancelled: { rules: ['RU3'], tests: ['RU3 with a cancelled and no failed task the run is cancelled'], otherwise: written },
  }),
  ...rowsOf('FleetRunTarget', {
    'this_computer another_computer': {
      rules: ['SC3'],
      tests: ['SC3 target this_computer and another_computer choose by where a worker is'],
      otherwise: 'warned of at creation; the tasks wait, and `explain` says why',
    },
    cloud: {
      rules: ['SC3'],
      tests: ['SC3 target this_computer and another_computer choose by where a worker is'],
      control: ['SC3 target this_computer and another_computer choose by where a worker is'],
      otherwise: 'refused as `unsupported_target`',
    },
  }),
  ...rowsOf('FleetWorkflow', {
    'id kind': {
      rules: ['RU7'],
      tests: ['RU7 the workflow of a run is named in its summary and in run.created'],
      otherwise: always,
    },
  }),
]
