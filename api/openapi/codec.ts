/** The route in the OpenAPI document that decrypts what Temporal stores. */
import { z } from 'zod';
import { payloadsSchema } from '../routes/decode-payloads.ts';
import { answer, failure, requiredBody } from './parts.ts';

export const codecSchemas = { Payloads: z.toJSONSchema(payloadsSchema, { io: 'input' }) };

export const codecPaths = {
  '/v1/codec/decode': {
    post: {
      summary: "Decrypt payloads for Temporal's UI and CLI; also takes the cookie of a codec session",
      requestBody: requiredBody('Payloads'),
      responses: { 200: answer('The payloads, decrypted, in the same order', 'Payloads'), default: failure },
    },
  },
};
