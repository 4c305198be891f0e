import type { Alert, AlertOutcome, AlertSink, AlertSinks } from '../ports/alert-sink.ts'
import type { FleetAlertChannel } from '../protocol/alert.ts'

/** What a receiver does with a delivery: takes it, refuses it, takes it and its answer is lost, or never answers. */
export type AlertReception = 'take' | 'refuse' | 'lose' | 'hang'

/** An alert that came in. */
export interface ReceivedAlert {
  readonly alert: Alert
  readonly channel: FleetAlertChannel
  readonly reception: AlertReception
}

/** Receives alerts in memory, through every kind of channel. */
export interface AlertReceiver {
  readonly sinks: AlertSinks
  /** Every delivery, in the order in which they came; a `refuse` did not arrive as far as its receiver is concerned. */
  readonly received: readonly ReceivedAlert[]
  /** Decides what becomes of the next deliveries. Default: all are taken. */
  behave: (alert: Alert, channel: FleetAlertChannel) => AlertReception
}

export function createAlertReceiver(): AlertReceiver {
  const received: ReceivedAlert[] = []
  const receiver: AlertReceiver = {
    sinks: { slack: sink(false), webhook: sink(false), pager_duty: sink(true) },
    received,
    behave: () => 'take',
  }

  function sink(resolves: boolean): AlertSink {
    return {
      resolves,
      async deliver(alert, channel, { signal }) {
        const reception = receiver.behave(alert, channel)
        received.push({ alert, channel, reception })
        return outcomes[reception](signal)
      },
      preview: (alert, { kind }) => ({ method: 'POST', url: `memory:${kind}`, headers: {}, body: alert }),
    }
  }

  return receiver
}

const outcomes: { readonly [Reception in AlertReception]: (signal: AbortSignal) => AlertOutcome | Promise<AlertOutcome> } = {
  take: () => ({ delivered: true }),
  refuse: () => ({ delivered: false, reason: 'the receiver refused it' }),
  lose: () => ({ delivered: false, reason: 'the answer was lost' }),
  hang: (signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve({ delivered: false, reason: 'the receiver never answered' }), {
        once: true,
      }),
    ),
}
