import { playShare } from './histories';

playShare(1, 4);
