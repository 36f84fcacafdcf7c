/** Every event arrives at each of its receivers at least once, signed, and a repeat is known by its id. */
import { type Fault, fault } from './fault.ts';

/** A delivery as the receiver got it, whatever it answered. */
export interface ReceivedDelivery {
  /** The path of the receiver. */
  readonly receiver: string;
  readonly webhookId: string;
  /** Whether the official client accepted its signature. */
  readonly isSigned: boolean;
  readonly body: string;
  /** Of its body. */
  readonly type: string;
  readonly dataId: string;
  /** For a person's approval: which step. */
  readonly step: string;
}

export interface ExpectedDelivery {
  readonly receiver: string;
  readonly type: string;
  readonly dataId: string;
}

export function checkDeliveries(
  expected: readonly ExpectedDelivery[],
  received: readonly ReceivedDelivery[],
): Fault[] {
  const seen = new Set(received.map(nameOf));
  const missing = expected.filter((delivery) => !seen.has(nameOf(delivery)));
  const events = Map.groupBy(received, (delivery) => `${nameOf(delivery)} ${delivery.step}`);
  const ids = Map.groupBy(received, ({ webhookId }) => webhookId);
  return [
    ...missing.map((delivery) => fault('undelivered', delivery.dataId, nameOf(delivery))),
    ...received
      .filter(({ isSigned }) => !isSigned)
      .map((delivery) =>
        fault('unrecognizable', delivery.dataId, `${nameOf(delivery)} has a wrong signature`),
      ),
    ...[...events].flatMap(([name, deliveries]) => {
      const own = new Set(deliveries.map(({ webhookId }) => webhookId));
      return own.size > 1 ? [fault('unrecognizable', name, `arrived under ${own.size} ids`)] : [];
    }),
    ...[...ids].flatMap(([id, deliveries]) => {
      const bodies = new Set(deliveries.map(({ body }) => body));
      return bodies.size > 1 ? [fault('unrecognizable', id, `names ${bodies.size} different events`)] : [];
    }),
  ];
}

function nameOf({ receiver, type, dataId }: ExpectedDelivery): string {
  return `${receiver} ${type} ${dataId}`;
}
