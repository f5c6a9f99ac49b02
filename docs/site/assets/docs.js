// Everything on a page that needs a script. Without it, pages are read and linked all the same.

import { startCode } from './code.js';
import { startContents } from './contents.js';
import { startSearch } from './search.js';
import { startSwitches } from './switches.js';

startSwitches();
startCode();
startContents();
startSearch();
