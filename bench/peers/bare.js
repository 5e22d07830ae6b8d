// "bare": Express that forwards with one fixed token. No session, no check, nothing.
import express from 'express';
import { createForward, listen } from './listen.js';

const forward = createForward();
const app = express();
app.get('/login', (_req, res) => res.redirect('/'));
app.get('/api/company/profile', (_req, res) => forward('fixed', res));
listen(app);
