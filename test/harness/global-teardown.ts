export default async function tearDown(): Promise<void> {
  const { endRun } = globalThis as { endRun?: () => Promise<void> };
  await endRun?.();
}
