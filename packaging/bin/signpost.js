#!/usr/bin/env node
// The `signpost` command.

import { launch } from './launch.js';

await launch('src/main');
