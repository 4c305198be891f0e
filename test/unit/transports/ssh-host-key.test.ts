import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fingerprintOf, keysOf } from '../../../src/transports/ssh/ssh-host-key.ts'
import { scratch } from '../../fixtures/scratch.ts'

test.each(['ed25519', 'rsa', 'ecdsa'])('HO5 the fingerprint of a key is what ssh-keygen writes: %s', async (type) => {
  await using folder = await scratch()
  const file = join(folder.path, 'key')
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file])
  const [name = '', base64 = ''] = readFileSync(`${file}.pub`, 'utf8').split(' ')

  const keys = keysOf(`# box:22 SSH-2.0\nbox ${name} ${base64}\n`)

  expect(keys).toEqual([{ type: name, base64 }])
  expect(keys.map(fingerprintOf)).toEqual([
    execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ')[1],
  ])
})

test('HO5 revoked keys, authorities and comments are no keys of a host', () => {
  const lines = [
    '@revoked box ssh-ed25519 AAAA',
    '@cert-authority * ssh-ed25519 AAAA',
    '# box ssh-ed25519 AAAA',
    'box ssh-ed25519 !',
    '',
  ]
  expect(keysOf(lines.join('\n'))).toEqual([])
  expect(keysOf('box ssh-ed25519 AAAA')).toHaveLength(1)
})
