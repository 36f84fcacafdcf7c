import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Window } from 'happy-dom';
import { replaceProperty } from '../../harness/replace-property.ts';
import { waitFor } from '../../harness/wait-for.ts';

interface Item {
  readonly id: string;
}

/** What the hook returns. */
interface Shown {
  readonly items: readonly Item[] | null;
  readonly more: (() => void) | null;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** Imported by a computed name: the types of Preact are those of a browser, and would apply to every file here. */
const load = (name: string) => import(name);
/** The page's modules look for a browser when they are loaded. */
const browser = new Window({ url: 'http://127.0.0.1/' });
let restore: readonly (() => void)[] = [];
const requests: { readonly path: string; readonly answer: (response: Response) => void }[] = [];

beforeAll(() => {
  const { document, location, sessionStorage, localStorage } = browser;
  const addEventListener = browser.addEventListener.bind(browser);
  const page = { document, location, sessionStorage, localStorage, addEventListener };
  const fetch = (path: string) =>
    new Promise((answer) => {
      requests.push({ path, answer });
    });
  const globals = Object.entries({ window: globalThis, ...page, fetch });
  restore = globals.map(([name, value]) => replaceProperty(globalThis, name, value));
});
afterAll(async () => {
  for (const putBack of restore) putBack();
  await browser.happyDOM.close();
});

/** Answers the first open request for this path. */
async function answer(path: string, ids: readonly string[], next: string | null = null): Promise<void> {
  await waitFor(`a request for ${path}`, () => requests.some((request) => request.path === path));
  const at = requests.findIndex((request) => request.path === path);
  const [request] = requests.splice(at, 1);
  request?.answer(Response.json({ data: ids.map((id) => ({ id })), next }));
}

async function showList(path: string) {
  const { h, render } = await load('preact');
  const { useEffect } = await load('preact/hooks');
  const { usePages } = await load('../../../clients/web/src/use-pages.ts');
  const into = browser.document.createElement('div');
  let shown: Shown | null = null;
  let hasEnded = false;
  const noteEnd = () => {
    hasEnded = true;
  };
  const List = ({ of }: { readonly of: string }) => {
    shown = usePages(of, 3_600_000);
    useEffect(() => noteEnd, []);
    return null;
  };
  const show = (of: string) => render(h(List, { of }), into);
  show(path);
  return {
    show,
    /** What the hook returned last. */
    current: (): Shown => {
      if (shown === null) throw new Error('nothing was rendered');
      return shown;
    },
    shows: (...ids: readonly string[]) =>
      waitFor(
        `the list shows ${ids.join(', ')}`,
        () => shown?.items?.map(({ id }) => id).join() === ids.join(),
      ),
    /** Preact ends effects after the next frame, and those of the hook need the browser. */
    end: async () => {
      render(null, into);
      await waitFor('the end of its effects', () => hasEnded);
    },
  };
}

test('further pages are added, and the last one offers no more', async () => {
  const list = await showList('/v1/list?of=a');
  await answer('/v1/list?of=a', ['a1', 'a2'], 'a2');
  await list.shows('a1', 'a2');
  list.current().more?.();
  await answer('/v1/list?of=a&after=a2', ['a2', 'a3']);
  await list.shows('a1', 'a2', 'a3');
  expect(list.current()).toMatchObject({ more: null, isLoading: false, error: null });
  await list.end();
});

test('a page of an earlier search that arrives late is not shown', async () => {
  const list = await showList('/v1/list?of=b');
  await answer('/v1/list?of=b', ['b1'], 'b1');
  await list.shows('b1');
  list.current().more?.();
  await waitFor('it loads', () => list.current().isLoading);
  list.show('/v1/list?of=c');
  expect(list.current()).toMatchObject({ items: null, more: null, isLoading: false });
  await answer('/v1/list?of=c', ['c1'], 'c1');
  await list.shows('c1');
  list.current().more?.();
  await answer('/v1/list?of=b&after=b1', ['b2']);
  await answer('/v1/list?of=c&after=c1', ['c2']);
  await list.shows('c1', 'c2');
  await list.end();
});

test('a page that was requested before a reload is not shown after it', async () => {
  const list = await showList('/v1/list?of=d');
  await answer('/v1/list?of=d', ['d1'], 'd1');
  await list.shows('d1');
  list.current().more?.();
  await waitFor('it loads', () => list.current().isLoading);
  list.current().reload();
  await answer('/v1/list?of=d', ['d1', 'd9'], 'd9');
  await list.shows('d1', 'd9');
  await answer('/v1/list?of=d&after=d1', ['d2']);
  list.current().more?.();
  await answer('/v1/list?of=d&after=d9', ['d10']);
  await list.shows('d1', 'd9', 'd10');
  await list.end();
});
