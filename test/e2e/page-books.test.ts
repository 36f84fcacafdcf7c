import { afterAll, beforeAll, beforeEach, describe, test } from '@jest/globals';
import { BROWSER_WITHIN_MS } from '../harness/browser.ts';
import {
  asksForNothingThatHasEnded,
  followsCancelsAndDownloads,
  listsMessageBatches,
  namesTheFaultsOfAFile,
} from './page-books/batches.ts';
import { countsInDollars, refusesUntilEditedOrRemoved, showsSpend } from './page-books/budgets.ts';
import { findsReadsAndDeletes, showsAndLiftsComplaints, showsUsersTheirOwn } from './page-books/cache.ts';
import {
  isPausedResumedAndCancelled,
  repeatsAndCompares,
  runsFromApprovalToDocument,
} from './page-books/jobs.ts';
import { createsRotatesAndRevokes } from './page-books/keys.ts';
import { PageDesk } from './page-books/page-desk.ts';
import { chartsVersions, managesNothingWithoutAdmin, writesComparesAndLabels } from './page-books/prompts.ts';
import { findsByEachTerm, readsInPages } from './page-books/runs.ts';
import { leadsToItsBatches, runsPausesAndDeletes } from './page-books/schedules.ts';
import {
  countsFailuresAndHidesOthers,
  equalsTheLedger,
  isReadByKeyboardAndFitsAPhone,
} from './page-books/usage.ts';

// One stack and one browser for all: a suite takes seconds, and starting them takes longer.
let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.start();
}, BROWSER_WITHIN_MS);
afterAll(() => desk?.stop());
beforeEach(() => desk.newPage());

describe('keys', () => {
  test('created, used, rotated and revoked; a secret is shown once', () => createsRotatesAndRevokes(desk));
});

describe('budgets', () => {
  test('what is spent of each limit, and the limits', () => showsSpend(desk));
  test('a limit that is set here refuses the next request, until it is edited or removed', () =>
    refusesUntilEditedOrRemoved(desk));
  test('an amount in US dollars is exact, and the spend of a user stands beside its limit', () =>
    countsInDollars(desk));
});

describe('prompts', () => {
  test('what a request costs with each version, as a chart and in a table', () => chartsVersions(desk));
  test('written, edited, compared and labelled', () => writesComparesAndLabels(desk));
  test('a key without the scope admin manages nothing', () => managesNothingWithoutAdmin(desk));
});

describe('usage', () => {
  test('the table of each chart has the sums of the ledger', () => equalsTheLedger(desk));
  test('read by keyboard, downloaded, in both themes and on a phone without a barrier', () =>
    isReadByKeyboardAndFitsAPhone(desk));
  test('a failed call is counted for its provider, and a user without scopes sees only their own', () =>
    countsFailuresAndHidesOthers(desk));
});

describe('runs', () => {
  test('a search finds a run by each of its terms, and leads to it', () => findsByEachTerm(desk));
  test('a longer list is read in pages, and a user without scopes finds only their own runs', () =>
    readsInPages(desk));
});

describe('cache', () => {
  test('a stored answer is found, read and deleted, and the next such question is answered by a model', () =>
    findsReadsAndDeletes(desk));
  test('questions that never get an answer again are shown with it, and lifted', () =>
    showsAndLiftsComplaints(desk));
  test('a user without scopes sees and deletes their own answers alone', () => showsUsersTheirOwn(desk));
});

describe('jobs', () => {
  test('one is a graph of steps, from the decision of a person to its document', () =>
    runsFromApprovalToDocument(desk));
  test('one is repeated from a step, and compared with another', () => repeatsAndCompares(desk));
  test('one is paused, resumed and cancelled', () => isPausedResumedAndCancelled(desk));
});

describe('batches', () => {
  test('one is followed with its rate and its estimated end, cancelled, and its files are downloaded', () =>
    followsCancelsAndDownloads(desk));
  test('a file that was refused is explained line by line', () => namesTheFaultsOfAFile(desk));
  test('those in the format of Anthropic are listed, and their results downloaded', () =>
    listsMessageBatches(desk));
  test('a batch that has ended is not asked for again', () => asksForNothingThatHasEnded(desk));
});

describe('schedules', () => {
  test('one is run now, paused, unpaused and deleted; its run is a click away', () =>
    runsPausesAndDeletes(desk));
  test('what it starts may be a batch', () => leadsToItsBatches(desk));
});
