/** As Vercel wraps a function of the edge runtime: its default export answers the fetch event. */
import handle from '../../clients/edge/vercel/api/relay.ts';

interface FetchEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
declare function addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;

addEventListener('fetch', (event) => event.respondWith(handle(event.request)));
