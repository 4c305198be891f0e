import { always, rowsOf, written } from '../row.ts'

const unreachable = {
  rules: ['SE2'],
  tests: ['SE2 hosts that cannot be reached, and ways to prove who one is that nobody checks, are refused by name'],
  control: ['SE2 hosts that cannot be reached, and ways to prove who one is that nobody checks, are refused by name'],
  otherwise: 'refused as `unenforceable`, always, with the field named: no transport of this version does what it says',
}

const noRuntime = 'SE2 where no runtime answers, a run that names a container is refused with the reason'
const hostTaken = 'HO5 a host with the pinned key is taken, by its fingerprint'
const hostRefused = 'not up: a host that cannot be reached leaves its worker offline, and its tasks wait (WO2)'
const dialled = 'SE7 may be one that a run names, by the id and the token that stand in its file'
const steps = 'WO1 CO3 the worker machine steps exactly as the table says'

/** Workers, and how they stand. */
export const workerRows = [
  ...rowsOf('FleetWorkerSpec', {
    id: {
      rules: ['SC3', 'WI6'],
      tests: ['SC3 the same worker id with other facts in a second run is refused', 'WI6 ids of tasks and of workers stand once'],
      control: ['SC3 the same worker id with other facts in a second run is refused'],
      otherwise: 'refused as `invalid_document` where a worker of that id is another one',
    },
    name: { rules: ['ST11'], tests: ['ST11 the specs of the workers of a run are kept with it, and shown'], otherwise: always },
    host: {
      rules: ['SE2'],
      tests: ['SE2 every field that nothing here enforces is refused at once'],
      otherwise: 'each of its kinds says',
    },
    auth: {
      rules: ['SE2', 'SE7'],
      tests: [...unreachable.tests, dialled],
      control: unreachable.tests,
      otherwise: 'each of its methods says',
    },
    trust_level: {
      rules: ['SE1', 'SE2'],
      tests: [
        'SE1 a worker of level %s runs at it and the receipt records it',
        'SE2 a worker from a file that would run at sandbox is refused where nothing confines it',
        'SE1 SE3 a worker of a run at sandbox runs its commands confined',
      ],
      control: ['SE2 a worker from a file that would run at sandbox is refused where nothing confines it'],
      otherwise: 'refused as `unenforceable` where the worker cannot enforce it',
    },
    labels: {
      rules: ['SC3', 'ST11'],
      tests: [
        'SC3 labels.role of a worker spec names the roles',
        'ST11 the specs of the workers of a run are kept with it, and shown',
      ],
      otherwise: always,
    },
    capabilities: {
      rules: ['SC3'],
      tests: ['SC3 capabilities of a worker spec are what its worker has'],
      otherwise: always,
    },
    max_concurrent_tasks: {
      rules: ['SC1'],
      tests: [
        'SC1 max_concurrent_tasks of a worker spec is how many leases',
        'SC1 a worker takes one lease at a time by default',
      ],
      otherwise: always,
    },
  }),
  ...rowsOf('FleetHostSpec', {
    local: { rules: ['SC3'], tests: ['SC3 a run that brings its own workers is served by them alone'], otherwise: always },
    'ssh ssh.host ssh.port': {
      rules: ['HO5', 'WO2'],
      tests: ['HO5 has its commands run there, with their input', 'WO2 a host that is down is told'],
      otherwise: hostRefused,
    },
    'ssh.user': {
      rules: ['HO5', 'SE7'],
      tests: ['HO5 name the port, the user, and a link to the key', 'SE7 logs in with the key and the user of its auth'],
      otherwise: hostRefused,
    },
    'ssh.identity': {
      rules: ['SE7', 'HO5'],
      tests: ['SE7 a key that the host does not know lets nobody in'],
      control: [hostTaken],
      otherwise: 'refused by the host: the worker does not come up, and `explain` says so',
    },
    'ssh.known_hosts ssh.host_key_fingerprint': {
      rules: ['HO5'],
      tests: ['HO5 a host with another key is refused before anything is sent', 'HO5 is refused without a pinned key'],
      control: [hostTaken],
      otherwise: 'refused as `unenforceable` without either; with another key at the host the worker does not come up',
    },
    'ssh.working_directory': {
      rules: ['HO5', 'WS1'],
      tests: ['HO5 works in the working directory that its host names', 'WS1 is refused with %s, and nothing of it stays'],
      control: ['HO5 works in the working directory that its host names'],
      otherwise: 'refused: the attempt fails for good where the host has no such folder',
    },
    'ssh.env_allowlist': {
      rules: ['WS3', 'SE2'],
      tests: ['WS3 gets the variables that its host allows', 'SE2 every problem of a host is refused by its path'],
      control: ['WS3 gets the variables that its host allows'],
      otherwise: 'refused as `unenforceable` for names that look like secrets, or that no shell can export',
    },
    'ssh.codewhale_binary ssh.command': {
      rules: ['HO2', 'HO5'],
      tests: ['HO2 has a worker program by its command, or else', 'HO5 do their work, and see none of the files of the fleet'],
      control: ['HO5 do their work, and see none of the files of the fleet'],
      otherwise: 'refused by the host: a worker program that does not come up leaves its worker offline (WO2)',
    },
    docker: {
      rules: ['HO2', 'SE2', 'SE3'],
      tests: ['HO2 SE3 a docker host of a run runs its commands in containers', noRuntime],
      control: [noRuntime],
      otherwise: 'refused as `unenforceable` where no container runtime answers',
    },
    'docker.image': {
      rules: ['HO2', 'RE7', 'SE6'],
      tests: ['SE6 is refused, or the image: %s', 'RE7 an image that does not exist is a failure of the way to the work'],
      control: ['HO2 SE3 a docker host of a run runs its commands in containers'],
      otherwise: 'refused as `unenforceable` when it is no name of an image; one that cannot be fetched fails its attempts',
    },
    'docker.args': {
      rules: ['HO2', 'SE6'],
      tests: ['SE6 is refused, or that argument: %s', 'HO2 a docker host with args is a worker program'],
      control: ['HO2 a docker host with args is a worker program'],
      otherwise: 'refused as `unenforceable` with a NUL in it; any other is passed on as it is',
    },
  }),
  ...rowsOf('FleetWorkerAuth', {
    none: { rules: ['SE2'], tests: unreachable.tests, otherwise: always },
    'ssh_key ssh_key.identity ssh_key.known_hosts ssh_key.host_key_fingerprint ssh_key.user': {
      rules: ['SE7'],
      tests: [
        'SE7 logs in with the key and the user of its auth',
        'SE7 takes the key, the user and the pin of its auth',
        'SE7 is refused where it says one thing and its auth another',
      ],
      control: ['SE7 logs in with the key and the user of its auth'],
      otherwise: 'refused as `unenforceable` at hosts of other kinds, and where the host says something else',
    },
    'token token.token_ref': {
      rules: ['SE7'],
      tests: [dialled],
      control: [dialled],
      otherwise:
        'refused as `unenforceable` at a host that is not `local`, and where no source of secrets knows it; a worker that cannot show it is refused as `unauthenticated`',
    },
    'mtls mtls.cert_path mtls.key_ref': unreachable,
  }),
  ...rowsOf('FleetWorkerStatus', {
    unknown: { rules: ['WO1', 'WO2'], tests: [steps, 'WO2 a fleet opens although a worker does not start'], otherwise: written },
    'online busy': {
      rules: ['WO1', 'RU9'],
      tests: [steps, 'RU9 a task that waits for a slot says which workers are busy'],
      otherwise: written,
    },
    offline: {
      rules: ['WO1', 'RU9'],
      tests: [steps, 'RU9 a task whose workers are not there says so'],
      otherwise: written,
    },
    unhealthy: { rules: ['WO1', 'LE4'], tests: [steps, 'LE4 a lease past its deadline is stale by itself'], otherwise: written },
    'draining retired': {
      rules: ['WO1'],
      tests: [steps, 'WO1 drain({ graceMs }) releases what is left after it', 'WO1 a drain outlives a reconnect'],
      otherwise: written,
    },
  }),
]
