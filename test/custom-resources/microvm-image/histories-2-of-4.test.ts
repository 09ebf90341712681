import { playShare } from './histories';

playShare(2, 4);
