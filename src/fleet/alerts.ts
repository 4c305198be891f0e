import type { HttpSender, HttpSenderOptions } from '../alerts/http-sender.ts'
import type { ResolveSecret } from '../alerts/resolve-secret.ts'
import { keptSource } from '../alerts/secret-text.ts'
import { createAlertSinks } from '../alerts/sinks.ts'
import type { AlertSinks } from '../ports/alert-sink.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { Clock } from '../ports/clock.ts'
import type { FleetSecretRef } from '../protocol/security.ts'
import { openKept } from './kept-addresses.ts'

/** How alerts are delivered (AL2–AL4). */
export interface AlertOptions {
  /** Your own sinks, by kind of channel, instead of those of the package. */
  readonly sinks?: Partial<AlertSinks>
  /** Lets alerts go to loopback, private and translated addresses too. Default false: whoever writes a task could reach inner hosts. */
  readonly allowPrivateAddresses?: boolean
  /** Plain http to loopback addresses, for receivers on this machine; with `allowPrivateAddresses`. Default false: https only. */
  readonly allowHttp?: boolean
  /** Certificates of the authorities that receivers are trusted by, PEM, instead of the platform's. */
  readonly ca?: string
  /** How long one delivery may take, milliseconds. Default 10,000. */
  readonly timeoutMs?: number
  /** Where PagerDuty takes events, for accounts of another service region. */
  readonly pagerDutyUrl?: string
}

/** The sinks of a fleet. */
export function alertSinksOf(
  options: AlertOptions,
  parts: {
    readonly clock: Clock
    readonly blobs: Blobs
    readonly secret: (ref: FleetSecretRef) => Promise<string | undefined>
  },
): AlertSinks {
  const { allowPrivateAddresses = false, allowHttp = false, ca, timeoutMs, pagerDutyUrl } = options
  const { clock, blobs } = parts
  const send = lateSender(allowPrivateAddresses, {
    clock,
    allowHttp,
    ...(ca !== undefined && { ca }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  const secret: ResolveSecret = (ref, run) => (ref.source === keptSource ? openKept(blobs, run, ref) : parts.secret(ref))
  return { ...createAlertSinks({ send, secret, clock, pagerDutyUrl }), ...options.sinks }
}

/** Most fleets never post an alert, and what it takes, TLS and the ranges of addresses, is a tenth of what the package takes to load. */
function lateSender(allowPrivate: boolean, options: Omit<HttpSenderOptions, 'policy'>): HttpSender {
  let loading: Promise<HttpSender> | undefined
  async function load(): Promise<HttpSender> {
    const [{ createHttpSender }, { addressPolicy }] = await Promise.all([
      import('../alerts/http-sender.ts'),
      import('../alerts/address-policy.ts'),
    ])
    return createHttpSender({ ...options, policy: addressPolicy({ private: allowPrivate }) })
  }
  return async (request, delivery) => (await (loading ??= load()))(request, delivery)
}
