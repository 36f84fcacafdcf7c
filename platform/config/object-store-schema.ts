/** Where archived logs, old ledger entries and files are kept: a bucket, or a folder. */
import { z } from 'zod';

const folderSchema = z.strictObject({
  folder: z.string().min(1).describe('A folder of this machine; every API and worker must see the same one'),
});

const s3Schema = z.strictObject({
  s3: z.strictObject({
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'expected the name of a bucket'),
    region: z.string().min(1).default('us-east-1'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Of a store that speaks the protocol of S3; absent: Amazon S3'),
    pathStyle: z
      .boolean()
      .default(false)
      .describe('The bucket is in the path, not in the host name: most stores other than Amazon S3 need it'),
    prefix: z
      .string()
      .regex(/^([A-Za-z0-9_-]+\/)*$/, 'expected names that end with /, such as unbroken/')
      .max(100)
      .default('')
      .describe('Before every key'),
  }),
});

export const objectStoreSchema = z.union([folderSchema, s3Schema]);

export type ObjectStoreConfig = z.infer<typeof objectStoreSchema>;
