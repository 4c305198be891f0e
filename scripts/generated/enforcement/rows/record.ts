import { always, rowsOf, written } from '../row.ts'

const spent = 'BU4 the receipt says what was spent'
const route = 'VE6 the worker completes the route'
const unfit = 'SE5 a route that holds a credential'
const refusedRoute = 'refused where it holds a credential: the route is not taken, and the log of the attempt says so'
const settle = 'VE5 settle replaces a partial verdict with who and why'

/** What attempts leave behind. */
export const recordRows = [
  ...rowsOf('FleetArtifactKind', {
    '': { rules: ['AR5'], tests: ['AR5 a log counts as an artifact that was expected'], otherwise: always },
  }),
  ...rowsOf('FleetArtifactRef', {
    kind: { rules: ['AR5'], tests: ['AR5 artifacts that were there before a verdict count'], otherwise: always },
    path: {
      rules: ['AR1', 'AR3'],
      tests: [
        'AR3 what leaves the attempt and the workspace is refused with the reason',
        'AR1 a path is looked for in the attempt first',
      ],
      control: ['AR1 a path is looked for in the attempt first'],
      otherwise: 'refused as `artifact_refused` where it leaves its root; the attempt goes on',
    },
    'checksum size_bytes': {
      rules: ['AR2'],
      tests: [
        'AR2 size and sha256 are computed by the fleet from the bytes',
        'AR2 what does not match a worker’s claim is refused',
      ],
      control: ['AR2 size and checksum that a worker claims are compared'],
      otherwise: 'refused as `artifact_refused` where the claim is not met; the attempt goes on',
    },
    mime_type: { rules: ['EV6'], tests: ['EV6 payloads hold the facts that were reported'], otherwise: always },
  }),
  ...rowsOf('FleetReceipt', {
    'run_id task_id': {
      rules: ['VE6'],
      tests: ['VE6 every field of a receipt names what it is of'],
      otherwise: written,
    },
    'worker_id attempt': {
      rules: ['VE6'],
      tests: ['VE6 every field of a receipt names what it is of', 'VE6 receipts of every attempt are kept, oldest first'],
      otherwise: written,
    },
    terminal_seq: { rules: ['EV6'], tests: ['EV6 queued is said at every enqueuing'], otherwise: written },
    completed_at: { rules: ['VE5'], tests: [settle], otherwise: written },
    result: { rules: ['VE6'], tests: ['VE6 receipt and status are one entry and never disagree'], otherwise: written },
    failure_kind: {
      rules: ['RE7'],
      tests: ['RE7 a non-zero exit and a thrown error are task failures'],
      otherwise: written,
    },
    artifacts: { rules: ['AR1'], tests: ['AR1 bytes are kept by content, and the ledger holds references'], otherwise: written },
    score: { rules: ['VE5', 'VE2'], tests: [settle, 'VE2 exit_code: %s'], otherwise: written },
    effective_permissions: {
      rules: ['SE1'],
      tests: ['SE1 a worker of level %s runs at it and the receipt records it'],
      otherwise: written,
    },
    resolved_route: {
      rules: ['VE6'],
      tests: [route, 'VE6 without a report, or without a model, no route is invented'],
      otherwise: 'left out unless all that it must say is known',
    },
    'profile profile.profile_id profile.profile_origin profile.role profile.loadout profile.model_class profile.model profile.tool_profile profile.trust_level profile.sources':
      {
        rules: ['VE6', 'SC3'],
        tests: [
          'VE6 a receipt says what applied and where each value came from',
          'VE6 a fleet with other profiles changes nothing of what applied',
          'SC3 every value has exactly one source',
        ],
        otherwise: written,
      },
    'usage usage.input_tokens usage.output_tokens': { rules: ['BU4'], tests: [spent], otherwise: written },
    'spent spent.tokens spent.tool_calls spent.seconds': {
      rules: ['BU4'],
      tests: [spent, 'BU4 what all attempts of the task spent counts'],
      otherwise: written,
    },
    output: { rules: ['VE8'], tests: ['VE8 what a handler returns is the output'], otherwise: written },
    'settled settled.by settled.why': {
      rules: ['VE5'],
      tests: [settle, 'VE5 it does so once'],
      control: [settle],
      otherwise: 'refused as `not_settleable` without a partial verdict',
    },
    evidence: {
      rules: ['VE6'],
      tests: ['VE6 evidence in a receipt is at most 4 KiB'],
      otherwise: 'above 4 KiB the rest is kept as an artifact',
    },
  }),
  ...rowsOf('FleetResolvedRoute', {
    'provider_id provider_kind protocol': {
      rules: ['VE6', 'SE5'],
      tests: [route, unfit],
      control: [route],
      otherwise: refusedRoute,
    },
    'provider_exact_id canonical_model model_route reasoning_effort': {
      rules: ['VE6'],
      tests: ['VE6 every word of a report is on the receipt'],
      otherwise: 'left out where the worker does not report it',
    },
    wire_model_id: {
      rules: ['VE6'],
      tests: ['VE6 every word of a report is on the receipt', route],
      otherwise: 'the model that was asked for; no route where there is none',
    },
    'role loadout model_class role_source loadout_source model_class_source model_source source': {
      rules: ['VE6'],
      tests: [route],
      otherwise: written,
    },
  }),
  ...rowsOf('FleetScore', {
    'value max': { rules: ['VE5', 'VE2'], tests: [settle, 'VE2 exit_code: %s'], otherwise: written },
    notes: { rules: ['VE4'], tests: ['VE4 the evidence stands in the notes of the score'], otherwise: written },
  }),
  ...rowsOf('FleetTaskResult', {
    pass: { rules: ['VE2'], tests: ['VE2 exit_code: %s'], otherwise: written },
    partial: { rules: ['VE5'], tests: ['VE5 manual is partial with half a score'], otherwise: written },
    fail: { rules: ['VE2'], tests: ['VE2 without a scorer another exit code is a task failure'], otherwise: written },
    skip: { rules: ['RU5'], tests: ['RU5 each cancelled task gets a skip receipt'], otherwise: written },
    timeout: { rules: ['LE7'], tests: ['LE7 timeout_seconds bounds the attempt from its start'], otherwise: written },
  }),
  ...rowsOf('FleetTaskFailureKind', {
    'transport task': { rules: ['RE7'], tests: ['RE7 a non-zero exit and a thrown error are task failures'], otherwise: written },
    verifier: { rules: ['RE7'], tests: ['RE7 evidence that says no is a task failure and is retried'], otherwise: written },
  }),
]
