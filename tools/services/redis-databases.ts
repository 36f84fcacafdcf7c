/** Logical databases of a Redis that is started here. */
export const REDIS_DATABASES = 1_024;
