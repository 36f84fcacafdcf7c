/** Where everything is kept: made, and checked before anything starts that would fail there one by one. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { START_COMMAND } from '../../platform/on-disk.ts';
import { reasonOf, ServiceError } from './programs/service-error.js';

/** @throws ServiceError */
export function ensureDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw new ServiceError(
      `Nothing can be written to ${dataDir}: ${reasonOf(error)}`,
      `Choose another folder: UNBROKEN_DATA_DIR=/path/to/folder ${START_COMMAND}`,
    );
  }
}
