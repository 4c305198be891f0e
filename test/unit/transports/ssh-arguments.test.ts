import { describe, expect, test } from 'vitest'
import { sshArguments } from '../../../src/transports/ssh/ssh-arguments.ts'

const times = { connectSeconds: 10, aliveSeconds: 15, aliveCount: 3, shared: 'no', line: 'LINE' } as const
const host = { host: 'box', port: 22, user: undefined, identity: undefined, fingerprint: undefined }

function settingsOf(args: readonly string[]): Readonly<Record<string, string>> {
  const set = args.filter((_, at) => args[at - 1] === '-o')
  return Object.fromEntries(set.map((setting) => setting.split('=') as [string, string]))
}

describe('the arguments of ssh', () => {
  test('HO5 ask nobody, read no file, speak to no agent, forward nothing, and put the host behind --', () => {
    const args = sshArguments(host, times)

    expect(args.slice(0, 2)).toEqual(['-F', 'none'])
    expect(args.slice(-3)).toEqual(['--', 'box', 'LINE'])
    expect(settingsOf(args)).toMatchObject({
      BatchMode: 'yes',
      StrictHostKeyChecking: 'yes',
      UserKnownHostsFile: 'known_hosts',
      GlobalKnownHostsFile: '/dev/null',
      UpdateHostKeys: 'no',
      VerifyHostKeyDNS: 'no',
      IdentitiesOnly: 'yes',
      IdentityAgent: 'none',
      ForwardAgent: 'no',
      ForwardX11: 'no',
      ClearAllForwardings: 'yes',
      PermitLocalCommand: 'no',
      ProxyCommand: 'none',
      ConnectTimeout: '10',
      ServerAliveInterval: '15',
      ServerAliveCountMax: '3',
      ControlPath: 'none',
    })
    expect(settingsOf(args)).not.toHaveProperty('HostKeyAlias')
  })

  test('HO5 name the port, the user, and a link to the key, never its path', () => {
    const args = sshArguments(
      { ...host, port: 2_222, user: 'deploy', identity: '/keys/%h $HOME', fingerprint: 'SHA256:x' },
      times,
    )

    expect(args.join(' ')).toContain('-i identity -p 2222 -l deploy -- box LINE')
    expect(args.join(' ')).not.toContain('/keys')
    expect(settingsOf(args)).toHaveProperty('HostKeyAlias', 'flotilla-pinned-host')
  })

  test('HO5 let one client open a connection and the others go over it', () => {
    expect(settingsOf(sshArguments(host, { ...times, shared: 'opens' }))).toMatchObject({
      ControlMaster: 'yes',
      ControlPath: 'control',
    })
    expect(settingsOf(sshArguments(host, { ...times, shared: 'joins' }))).toMatchObject({
      ControlMaster: 'no',
      ControlPath: 'control',
    })
  })
})
