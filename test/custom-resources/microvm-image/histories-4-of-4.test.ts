import { playShare } from './histories';

playShare(4, 4);
