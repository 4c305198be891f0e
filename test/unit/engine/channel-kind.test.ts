import { expect, test } from 'vitest'
import { channelKind } from '../../../src/engine/channel-kind.ts'
import { decidedRun } from '../../support/decided-run.ts'

test('AL2 an alert goes through the channel of its place in the policy of its task, and through none that is not there', () => {
  const channels = [
    { kind: 'webhook', url: 'https://a.example/' },
    { kind: 'pager_duty', routing_key: 'k', severity: 'error' },
  ]
  const { task } = decidedRun({ a: { alert_policy: { channels } }, b: {} })
  expect([0, 1].map((place) => channelKind(task('a'), place))).toEqual(['webhook', 'pager_duty'])
  expect(() => channelKind(task('a'), 2)).toThrow('no channel 2')
  expect(() => channelKind(task('b'), 0)).toThrow('no channel 0')
})
