/** A service, or a process of ours, that could not be provided. `fix` is what the reader does about it. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly fix: string;

  constructor(message: string, fix: string, extra: { cause?: unknown } = {}) {
    super(`${message}\n  Fix: ${fix}`, { cause: extra.cause });
    this.fix = fix;
  }
}

/** The port that was to be used belongs to another process. */
export class PortInUseError extends ServiceError {
  readonly port: number;

  constructor(name: string, port: number, fix: string) {
    super(`${name} cannot listen on 127.0.0.1:${port}: the port is in use by another process.`, fix);
    this.port = port;
  }
}

export type Report = (line: string) => void;
export type Environment = Readonly<Record<string, string | undefined>>;

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A duration for people: "0.4 s". */
export function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}
