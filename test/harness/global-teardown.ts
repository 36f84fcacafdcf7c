import type { SharedServices } from './shared-services.ts';

export default async function tearDown(): Promise<void> {
  const { unbrokenServices } = globalThis as { unbrokenServices?: SharedServices };
  await unbrokenServices?.stop();
}
