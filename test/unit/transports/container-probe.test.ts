import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { probeContainers } from '../../../src/transports/containers/container-probe.ts'
import { scratch } from '../../fixtures/scratch.ts'

/** A client that answers `info` with this, or does what a script says. */
async function client(info: unknown, script = '') {
  const folder = await scratch({
    info: JSON.stringify(info),
    client: `#!/bin/sh\n${script}\ncase "$1" in info) cat "$(dirname "$0")/info";; context) cat "$(dirname "$0")/context" 2>/dev/null;; esac\n`,
  })
  onTestFinished(() => folder.remove())
  const program = join(folder.path, 'client')
  await chmod(program, 0o755)
  return program
}

const variables: Record<string, string> = { PATH: process.env['PATH'] ?? '', HOME: '/home/me', AWS_SECRET: 'x' }
const environment = (more: Record<string, string> = {}) => ({ get: (name: string) => ({ ...variables, ...more })[name] })

const docker = { OSType: 'linux', MemoryLimit: true, PidsLimit: true, SecurityOptions: ['name=seccomp,profile=builtin'] }
const podman = { host: { os: 'linux', cgroupControllers: ['memory', 'pids'], security: { rootless: false } } }

describe('what a machine has for containers', () => {
  test('SE2 a runtime that answers, on Linux, and bounds memory and processes can hold containers', async () => {
    const program = await client(docker)
    expect(probeContainers(environment(), { runtime: 'docker', program })).toEqual({
      host: { runtime: 'docker', program, isRootless: false, environment: { PATH: variables['PATH'], HOME: '/home/me' } },
    })
    const other = await client(podman)
    expect(probeContainers(environment(), { runtime: 'podman', program: other })).toMatchObject({ host: { runtime: 'podman' } })
  })

  test('SE2 whether it is rootless is known', async () => {
    const rootless = { ...docker, SecurityOptions: ['name=rootless'] }
    const mine = { host: { ...podman.host, security: { rootless: true } } }
    for (const [runtime, info] of [['docker', rootless] as const, ['podman', mine] as const])
      expect(probeContainers(environment(), { runtime, program: await client(info) })).toMatchObject({
        host: { isRootless: true },
      })
  })

  test.each([
    ['docker', { ...docker, OSType: 'windows' }, 'runs no Linux containers'],
    ['docker', { ...docker, MemoryLimit: false }, 'cannot bound memory here'],
    ['docker', { ...docker, MemoryLimit: false, PidsLimit: false }, 'cannot bound memory and processes here'],
    ['docker', { ...docker, ServerErrors: ['no daemon'] }, 'no daemon'],
    ['podman', { host: { ...podman.host, cgroupControllers: ['memory'] } }, 'cannot bound processes here'],
    ['podman', { host: { ...podman.host, cgroupControllers: null } }, 'cannot bound memory and processes here'],
    ['podman', { nothing: true }, 'not understood'],
  ] as const)('SE2 %s that says %j cannot', async (runtime, info, why) => {
    const probe = probeContainers(environment(), { runtime, program: await client(info) })
    expect(probe).toEqual({ missing: expect.stringContaining(why) as string })
  })

  test('SE2 one that is not there, fails, or is on another machine cannot, and says why', async () => {
    const missing = (why: string) => ({ missing: expect.stringContaining(why) as string })
    expect(probeContainers(environment(), { runtime: 'docker', program: '/nowhere/docker' })).toEqual(missing('no program'))
    expect(probeContainers(environment(), { runtime: 'docker', program: 'docker' })).toEqual(missing('no program'))
    const failing = await client(docker, 'echo "permission denied" >&2; exit 1')
    expect(probeContainers(environment(), { runtime: 'docker', program: failing })).toEqual(missing('permission denied'))
    const program = await client(docker)
    for (const address of ['ssh://me@far', 'tcp://10.0.0.1:2376'])
      expect(probeContainers(environment({ DOCKER_HOST: address }), { runtime: 'docker', program })).toEqual(
        missing('another machine'),
      )
    const set = await client(docker, 'if [ "$1" = context ]; then echo ssh://far; exit 0; fi')
    expect(probeContainers(environment(), { runtime: 'docker', program: set })).toEqual(missing('ssh://far'))
    // The positive control.
    const near = { DOCKER_HOST: 'unix:///run/user/1/docker.sock' }
    expect(probeContainers(environment(near), { runtime: 'docker', program })).toMatchObject({ host: { environment: near } })
  })
})
