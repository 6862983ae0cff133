import { testHistories } from './histories-of-replicas.js';

testHistories({ title: 'R37', histories: Number(process.env['REPLICA_HISTORIES'] ?? 1_000) });
