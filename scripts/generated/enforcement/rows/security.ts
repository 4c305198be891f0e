import { always, rowsOf, written } from '../row.ts'

const atLevel = 'SE1 a worker of level %s runs at it and the receipt records it'
const fromFile = 'SE2 a worker from a file that would run at sandbox is refused where nothing confines it'
const held = 'SE4 an attempt at sandbox is told what it is held to'
const identity = 'SE1 a remote worker without a verified identity stays at sandbox'
const stored = 'SE1 the policy is stored with the run, field by field'

/** What the workers of a run may do. */
export const securityRows = [
  ...rowsOf('FleetSecurityPolicy', {
    default_trust_level: {
      rules: ['SE1', 'SE2'],
      tests: [fromFile, stored],
      control: [fromFile],
      otherwise: 'refused as `unenforceable` where a worker that takes it cannot enforce it',
    },
    max_trust_level: {
      rules: ['SE1', 'SE2'],
      tests: ['SE1 the level is cut to max_trust_level, and never raised', 'SE2 a run whose ceiling is sandbox is refused'],
      control: ['SE2 a worker that runs what it cannot enforce takes a run whose ceiling is sandbox'],
      otherwise: 'refused as `unenforceable` where no worker can enforce what is left',
    },
    require_identity_verification: {
      rules: ['SE1'],
      tests: [identity],
      control: [identity],
      otherwise: 'a worker elsewhere stays at `sandbox`; the task waits, and `explain` says why',
    },
    capability_grants: {
      rules: ['SE4'],
      tests: ['SE4 grants add the network, and paths of the workspace', 'SE4 all problems are told at once'],
      control: ['SE4 grants add the network, and paths of the workspace'],
      otherwise: 'refused as `unenforceable` where nothing can enforce one',
    },
    allow_parallel_reads: {
      rules: ['SE1'],
      tests: [
        'SE1 what a policy says of parallel reads is handed to the worker',
        'SE1 says whether allow_parallel_reads is set',
        'SE1 BU2 its input file holds allow_parallel_reads',
      ],
      otherwise: always,
    },
  }),
  ...rowsOf('FleetCapabilityGrant', {
    capability: {
      rules: ['SE4'],
      tests: ['SE4 grants add the network, and paths of the workspace', 'SE4 the capability %s is refused by name'],
      control: ['SE4 the network, once granted, is the host’s'],
      otherwise: 'refused as `unenforceable` where nothing can grant it, or it is beyond `max_trust_level`',
    },
    scope: {
      rules: ['SE4', 'WS4'],
      tests: [
        'SE4 the network is granted as a whole; a list of hosts cannot be enforced',
        'SE4 writing is granted for paths of the workspace',
        'WS4 only what was granted can be written',
      ],
      control: ['WS4 only what was granted can be written'],
      otherwise: 'refused as `unenforceable` where it cannot be enforced',
    },
    reason: { rules: ['SE1'], tests: [stored], otherwise: 'always possible: it is kept with the run' },
  }),
  ...rowsOf('FleetTrustLevel', {
    sandbox: {
      rules: ['SE1', 'SE2', 'SE3'],
      tests: [
        atLevel,
        'SE2 a lease at sandbox goes only to a worker whose transport enforces all of it',
        'SE3 HO6 cannot reach $name',
      ],
      control: [
        'SE3 the positive control: what is no escape succeeds inside',
        'SE2 a function is run at sandbox when the application',
      ],
      otherwise: 'refused as `unenforceable` where no worker can enforce it',
    },
    'local remote_verified operator': {
      rules: ['SE1', 'SE3'],
      tests: [
        atLevel,
        'SE1 the level is cut to max_trust_level, and never raised',
        'SE3 sandbox is kept from network, writes, environment and processes',
      ],
      otherwise: always,
    },
  }),
  ...rowsOf('FleetEffectivePermissions', {
    'write network': {
      rules: ['SE4', 'SE2'],
      tests: [
        held,
        'SE4 grants add the network, and paths of the workspace',
        'SE2 a function is run at sandbox when the application',
      ],
      otherwise: written,
    },
    'shell background max_spawn_depth source': { rules: ['SE4'], tests: [held], otherwise: written },
    'tool_scope tools profile_id profile_origin': {
      rules: ['SC3'],
      tests: ['SC3 effective_permissions name the profile, who gave it, and the tools'],
      otherwise: written,
    },
  }),
]
