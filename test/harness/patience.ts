import type { VerifierPatience } from '../../engine/cache/threaded-verifier.ts';

/** For limits of which a test makes no promise: the machine may be busy. */
export const PATIENT_MS = 120_000;

/** Limits for tests of what the cache answers: those promises are not about how busy the machine is. */
export const PATIENT: VerifierPatience = { waitMs: PATIENT_MS, compareMs: PATIENT_MS, runMs: PATIENT_MS };
