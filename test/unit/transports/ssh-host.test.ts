import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSshHost, type SshKey, type SshSpec } from '../../../src/transports/ssh/ssh-host.ts'

const fingerprint = `SHA256:${'A'.repeat(43)}`
const spec: SshSpec = { kind: 'ssh', host: 'box', host_key_fingerprint: fingerprint, env_allowlist: [] }
const auth: SshKey = { method: 'ssh_key', identity: '/keys/id' }

function problems(given: SshSpec, key?: SshKey): readonly string[] {
  const read = readSshHost(given, key)
  return 'problems' in read ? read.problems.map(({ path, reason }) => `${path}: ${reason}`) : []
}

describe('an ssh host', () => {
  test('HO5 has the port 22, no user and no key of its own until somebody says so', () => {
    expect(readSshHost(spec)).toEqual({
      host: {
        host: 'box',
        port: 22,
        user: undefined,
        identity: undefined,
        knownHosts: undefined,
        fingerprint,
        workingDirectory: undefined,
        environment: [],
        command: undefined,
      },
    })
  })

  test('HO5 is refused without a pinned key, and taken with either of the ways to pin one', () => {
    const { host_key_fingerprint: _, ...unpinned } = spec
    expect(problems(unpinned)).toEqual(['host: no key of the host is pinned: name host_key_fingerprint, or known_hosts'])
    expect(problems({ ...unpinned, known_hosts: '/known' })).toEqual([])
    expect(problems(unpinned, { ...auth, host_key_fingerprint: fingerprint })).toEqual([])
    expect(problems(unpinned, { ...auth, known_hosts: '/known' })).toEqual([])
  })

  test('SE7 takes the key, the user and the pin of its auth', () => {
    const key = { ...auth, user: 'deploy', known_hosts: 'known' }
    expect(readSshHost({ ...spec, identity: '/keys/id' }, key)).toMatchObject({
      host: { identity: '/keys/id', user: 'deploy', knownHosts: resolve('known'), fingerprint },
    })
  })

  test('SE7 is refused where it says one thing and its auth another', () => {
    const said = { ...spec, identity: '/a', known_hosts: '/b', user: 'c' }
    const key = { ...auth, known_hosts: '/d', user: 'e', host_key_fingerprint: `SHA256:${'B'.repeat(43)}` }
    expect(problems(said, key)).toEqual(
      ['identity', 'known_hosts', 'host_key_fingerprint', 'user'].map(
        (field) => `auth.${field}: says something else than host.${field}: name it once`,
      ),
    )
  })

  test('HO5 finds key files from the home of the user, and from the folder of the process', () => {
    expect(readSshHost({ ...spec, identity: '~/.ssh/id', known_hosts: 'keys/known' })).toMatchObject({
      host: { identity: join(homedir(), '.ssh/id'), knownHosts: resolve('keys/known') },
    })
  })

  test('HO2 has a worker program by its command, or else by the name of a program', () => {
    expect(readSshHost({ ...spec, codewhale_binary: '/opt/worker' })).toMatchObject({ host: { command: ['/opt/worker'] } })
    expect(readSshHost({ ...spec, codewhale_binary: '/opt/worker', command: ['node', 'w.js'] })).toMatchObject({
      host: { command: ['node', 'w.js'] },
    })
  })

  test('HO5 says everything that is wrong with it at once', () => {
    const wrong = {
      ...spec,
      host: 'a b',
      port: 0,
      user: '-l',
      host_key_fingerprint: 'MD5:00',
      working_directory: 'here',
      env_allowlist: ['a-b'],
      command: [],
    }
    expect(problems(wrong).map((problem) => problem.split(':')[0])).toEqual([
      'host.host',
      'host.user',
      'host.host_key_fingerprint',
      'host.working_directory',
      'host.env_allowlist[0]',
      'host.command',
      'host.port',
    ])
  })
})
