/** A file of sources by its name in a folder. */
const inFolder = (folder, names) => names.split(' ').map((name) => `${folder}/${name}`)
const engine = (names) => inFolder('src/engine', names.replaceAll(/\S+/g, '$&.ts'))
const journal = (names) => inFolder('src/store/json', names.replaceAll(/\S+/g, '$&.ts'))
/** A file of tests by its name in a folder of test/unit. */
const tests = (folders) =>
  Object.entries(folders).flatMap(([folder, names]) => inFolder(`test/unit/${folder}`, names.replaceAll(/\S+/g, '$&.test.ts')))

const ways = ['lease-ways', 'run-ways', 'worker-ways'].map((name) => `test/simulation/${name}.test.ts`)

export const areas = {
  lifecycles: {
    machines: {
      mutate: ['src/lifecycles/*.ts'],
      tests: [
        // It makes the machines as it is loaded: what is made in no test is held against all.
        ...tests({ lifecycles: 'machines' }),
        ...tests({
          lifecycles: 'lease worker table.property',
          engine: 'lifecycles releases-and-restarts',
          fleet: 'run-lifecycle',
        }),
        ...ways,
      ],
      isOnceToo: true,
    },
  },
  journal: {
    lines: {
      mutate: journal(
        'segment-line line-seal line-top segment-parse line-buffer entry-records entry-texts group marks place-reading segment-use segment-loss damage journal-bytes',
      ),
      tests: tests({
        'store/json':
          'line-buffer line-seal entry-records lines-of-many-damage run-heads marks segment-use segment-loss segment-line segment-stretch segment-chain group entry-scan segment-parse index-shards',
      }),
    },
    segments: {
      mutate: journal('segment-chain segment-file segment-writer entry-scan'),
      tests: tests({ 'store/json': 'segment-chain segment-room segment-begin entry-scan segment-file reader' }),
    },
    writing: {
      mutate: journal('journal-writer'),
      tests: tests({ 'store/json': 'journal-writer group-commit faults segment-file run-folder damage segment-retention' }),
    },
    retention: {
      mutate: journal('segment-retention'),
      tests: tests({ 'store/json': 'retention-plan retention-sweep segment-retention' }),
    },
    opening: {
      mutate: journal('journal-opening'),
      tests: tests({ 'store/json': 'journal-opening faults segment-file damage doctor owner' }),
    },
    reading: {
      mutate: journal('journal-reader run-heads'),
      tests: tests({
        'store/json':
          'run-heads journal-reader lines-of-many run-folder segment-parse index-shards reader snapshot faults damage doctor',
      }),
    },
  },
  engine: {
    queue: {
      mutate: engine('lanes ready-queue schedule task-gates lingering-gates limit-gate gates requirement ticket ticket-queue'),
      tests: tests({
        engine: 'schedule gates requirement ready-queue retries releases-and-restarts leases-and-time',
        fleet: 'scheduling matching gates dependencies explain command-scorer',
      }),
    },
    attempts: {
      mutate: engine(
        'assignment attempt-end attempt-watch deadlines stopping cancel stalls retry task-ended heartbeat stop-reason ended-spec aftermath instant',
      ),
      tests: tests({
        engine:
          'retry attempt-end cancel attempt-watch deadlines assignment stopping stop-reason stalls ended-spec instant task-ended leases-and-time retries fencing releases-and-restarts effects-and-closing lifecycles durable-before-announced alerts',
        fleet: 'cancel dependencies run-lifecycle budgets workers secrets explain',
      }),
    },
    budgets: {
      mutate: engine('budget budget-watch run-spend tally commands/budget'),
      tests: tests({
        engine: 'budget budget-watch commands/budget run-spend tally lifecycles leases-and-time',
        fleet: 'budgets usage summary',
      }),
    },
    core: {
      mutate: engine('core decide fold state commit turns entry row run-header'),
      tests: tests({
        engine:
          'commit decide fold state turns row durable-before-announced determinism lifecycles effects-and-closing retries releases-and-restarts fencing',
        fleet: 'run-lifecycle carry-on add-and-delete budgets summary verdicts',
      }),
    },
    commands: {
      mutate: engine('run-command creation commands/report commands/restart commands/run commands/task defaults'),
      tests: tests({
        engine:
          'commands/report commands/restart commands/run commands/task run-command creation lifecycles releases-and-restarts fencing retries',
        fleet: 'add-and-delete run-creation run-lifecycle cancel tags verdicts sliced-creation',
      }),
    },
    reports: {
      mutate: engine('effects reports redacted-report receipt receipt-record receipts evidence score run-scorer'),
      tests: tests({
        engine:
          'reports effects run-scorer redacted-report receipt receipt-record receipts evidence score fencing event-payloads leases-and-time effects-and-closing',
        fleet: 'verdicts verifier usage budgets artifacts secrets',
      }),
    },
    recovery: {
      mutate: engine('recovery run-loader run-memory snapshot spec-record snapshots fleet-snapshots store-watch engine'),
      tests: tests({
        engine:
          'snapshot spec-record run-loader taken-snapshots kept-runs store-watch recovery engine run-memory snapshots determinism durable-before-announced resuming-workers effects-and-closing',
        fleet: 'carry-on control inbox retention',
      }),
    },
    events: {
      mutate: engine('announcer cursor live-cursor project public-event views explain inbox-entry tagged'),
      tests: tests({
        engine:
          'tagged inbox-entry cursor project public-event live-cursor explain views announcer events-and-cursors live-events public-events event-payloads lifecycles',
        fleet: 'summary explain tags sdk',
      }),
    },
    workers: {
      mutate: engine(
        'workers worker-facts worker-host worker-line presence incarnation sending-lanes channel-kind applied-profile drain worker-seqs',
      ),
      tests: tests({
        engine:
          'channel-kind sending-lanes presence worker-seqs applied-profile workers worker-line worker-host drain resuming-workers fencing leases-and-time releases-and-restarts',
        fleet: 'workers attach matching profiles carry-on',
      }),
    },
    alerts: {
      mutate: engine('alert-outbox alert-policies alert-record alert-rules alerting'),
      tests: tests({
        engine: 'alert-record alert-policies alert-rules alerting alert-outbox alerts',
        fleet: 'alert-policies',
      }),
    },
  },
}

/** The groups of these areas, or these groups, by name; all without any. */
export function chosenGroups(names = Object.keys(areas)) {
  return names.flatMap((name) => {
    const [area, only] = name.split('/')
    const groups = Object.entries(areas[area] ?? {}).filter(([group]) => only === undefined || group === only)
    if (groups.length === 0) throw new Error(`There is no ${name} to change. The areas are ${Object.keys(areas).join(', ')}.`)
    return groups.map(([group, parts]) => ({ name: `${area}/${group}`, ...parts }))
  })
}
