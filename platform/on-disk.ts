/** Our own modules as they are on the disk: a clone runs the TypeScript; the npm package and the image, JavaScript. */
import { extname } from 'node:path';

/** Whether this runs from the npm package or the image. What a clone builds on demand is built already there. */
export const IS_COMPILED = extname(import.meta.filename) === '.js';

/** @param path of one of our modules, which ends in `.ts`. */
export function onDisk(path: string): string {
  return IS_COMPILED ? path.replace(/\.ts$/, '.js') : path;
}

/** How a user starts everything. */
export const START_COMMAND = IS_COMPILED ? 'npx unbroken start' : 'npm start';
