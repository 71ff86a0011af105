import type { Category } from './category.ts';

/**
 * The evidence `classify` weighs, as plain data. Cues are separated by commas and alphabetical within their list; a cue of
 * several words is matched as those words in a row, with any spaces or punctuation between them. Weights: 3 all but
 * decides, 2 is strong, 1 is a hint. A cue is always a whole word: `import` is not found in `important`.
 */
type Shelf = readonly [weight: number, cues: string];

/** Words that speak for a class wherever they stand. */
export const WORDS: Readonly<Record<Category, readonly Shelf[]>> = {
  code: [
    [
      3,
      `ajax, algorithm, android studio, angular, ansible, bash, bash script, binary search, c#, c++, chmod, codebase, compiler,
      coroutine, css, debug, debugger, debugging, def, dictionary comprehension, django, docker, dockerfile, dplyr, eslint,
      exception handling, express js, fastapi, flask, flutter, fortran, ggplot, git, git commit, github, golang, gradle, grep,
      hash map, haskell, html, ide, import error, ios app, java, javascript, jquery, json, jupyter, jvm, kotlin, kubernetes,
      lambda function, leetcode, linked list, linux command, localhost, makefile, matplotlib, maven, merge sort, middleware,
      mongodb, mutex, mysql, next js, nginx, node js, npm, null pointer, numpy, object oriented, php, pip, plpgsql, postgres,
      postgresql, powershell, programming, programming language, pytest, python, pytorch, quicksort, react, react native,
      refactor, regex, regular expression, rest api, ruby, runtime error, rust, scala, segfault, segmentation fault,
      shell script, solidity, source code, spring boot, sql, stack overflow, stack trace, stacktrace, stdin, stdout, sudo,
      svelte, swift, swiftui, syntax error, tailwind, terraform, time complexity, traceback, tsconfig, typescript, unit test,
      unit tests, unix, vba, verilog, vim, virtualenv, vscode, vue, webpack, xcode, xml, yaml`,
    ],
    [
      2,
      `api, array, async, await, backend, bitwise, boolean, branch, bug, callback, code, coding, coder, command line, compile,
      constructor, cron, current directory, database, data structure, deploy, developer, directory, endpoint, exception,
      file extension, file name, filename, foreign key, frontend, hashmap, home directory, http, https, import, inheritance,
      integer overflow, iterate, iterator, kernel, lambda, linter, list comprehension, loop, module, multithreading, nested list,
      nth, null, parse, parser, pointer, program, programmer, pull request, query string, queue, recursion, recursive,
      recursively, regular files, repo, repository, runtime, script, sdk, server, snippet, software, standard input, stdlib,
      subdirectories, subdirectory, substring, symlink, syntax, terminal, terminal window, thread, tuple, tuples, undefined,
      variable, web app, webhook, widget`,
    ],
    [
      1,
      `app, args, argument, backup, binary, browser, button, bytes, class, classes, client, column, command, config, crash, dict,
      element, error, extension, file, folder, function, host, implement, implementation, index, input, install, keyword, library,
      list of lists, lists, lowercase, method, object, output, package, parameter, path, permissions, process id, query, return,
      return value, returns, rows, search for all, sort, sorted, string, table, tree, uppercase, user input, website, windows`,
    ],
    [
      3,
      // German, French, Spanish, Portuguese, Italian, Russian, Chinese, Japanese, Korean
      `algorithme, algorithmus, algoritmo, base de datos, código, datenbank, fehlermeldung, funktion, kompilieren, programm,
      programma, programmer un, programmieren, programmiere, quellcode, schleife, алгоритм, код, кода, программу, программа,
      скрипт, функцию, функция, 代码, 代碼, 函数, 函數, 编程, 編程, 程序, 程式, 算法, 调试, 数据库, 脚本, 変数, 関数, コード, プログラム, バグ,
      함수, 코드, 알고리즘, 프로그램, 파이썬`,
    ],
    [
      1,
      'boucle, bucle, clase, classe, fichier, datei, fonction, función, função, funzione, klasse, skript, variabile, файл, 文件',
    ],
  ],
  writing: [
    [
      3,
      `blog post, character sketch, cover letter, creative writing, diary entries, diary entry, essay, fairy tale, fan fiction,
      fanfic, haiku, in the style of, limerick, lyrics, memoir, monologue, news report, novella, op ed, poem, poetry, press release,
      proofread, resignation letter, resume, rewrite, rhyme, rhyming, role play, roleplay, screenplay, short story, sonnet,
      stanza, thank you note, writing prompt`,
    ],
    [
      2,
      `article, autobiography, biography, blog, blogger, brainstorm names, caption, chapter, compose, copywriter, copywriting,
      dialogue, draft, editorial, email, fiction, first person, headline, letter, metaphors, narrative, narrator, newsletter,
      novel, novelist, paraphrase, persuasive, plot twist, pretend, prose, protagonist, proverb, reword, satire, scene, slogan,
      song, speech, story, storytelling, summarize, summarise, tagline, toast, tweet, you are writing`,
    ],
    [
      1,
      `act as, audience, author, brochure, catchy, character, characters, complete the following, description, edit, emotion,
      engaging, fantasy, feedback, formal, friendly, funny, genre, grammar, heartfelt, humorous, imagery, imagine, instagram,
      introduction, invitation, message, paragraph, plot, poet, polite, post, professional, proposal, punctuation, reader,
      readers, reply, review, script for, spelling, statement, style, theme, title, tone, topic, vivid, words, workshop, writer`,
    ],
    [
      3,
      // German, French, Spanish, Portuguese, Italian, Russian, Indonesian, Arabic, Hindi, Bengali, Chinese, Japanese, Korean
      `anschreiben, artículo, aufsatz, brief, carta, cerita, conte, correo, courriel, cuento, ensayo, erzählung, gedicht,
      geschichte, histoire, lettre, lettera, poema, poème, poesia, poesía, puisi, racconto, redacción, roman, rédaction,
      письмо, рассказ, сказку, статью, стих, стихи, стихотворение, сочинение, эссе, رسالة, قصة, قصيدة, مقال, कविता, कहानी, निबंध,
      कবিতা, ছড়া, গল্প, কবিতা, 作文, 诗, 詩, 故事, 文章, 散文, 小说, 小說, 邮件, 郵件, 信件, 写一封, 演讲稿, 物語, 小説, 手紙, メール, 俳句, 편지, 소설,
      에세이, 이야기를, 이메일, 시를`,
    ],
  ],
  analysis: [
    [
      3,
      `analyse, analysis, analyze, arithmetic, calculate, classify the, compare and contrast, confidence interval, correlation,
      deduce, deductive, derivative, dataset, equation, extract the, first order logic, fallacy, geometry, hypothesis,
      hypothesis test, infer, inequality, integral, linear regression, logical, math, mathematical, maths, matrix, p value,
      percentile, polynomial, premise, premises, probability, proof, pros and cons, prove, reasoning, sentiment,
      sentiment analysis, spreadsheet, standard deviation, statistical, step by step, swot, theorem, triangle`,
    ],
    [
      2,
      `analyst, assess, average, business case, categorize, circle, classify, compare, comparison, compute, conclude, conclusion,
      consecutive, contrast, critique, csv, cylinder, data analyst, decimal, diameter, digit, divided by, divisor, estimate,
      evaluate, evidence, examine, excel, forecast, formula, fraction, given that, identify, if and only if, implications,
      impacts, integer, integers, interpret, investigate, law, least common multiple, mean, median, metrics, multiple,
      multiplied by, odds, optimal, percent, percentage, perimeter, perpendicular, positive integers, predict, prime number,
      quadratic, radius, ratio, real numbers, remainder, risks, root cause, schedule, solve, strategy, sum of, survey,
      trade off, trade offs, trend, trends, valid, vertices, volume, what can we, whole number`,
    ],
    [
      1,
      `altogether, answer the question, area, assumptions, based on, between, budget, coin, conclusions, consider, constraints,
      cost, costs, data, decide whether, determine, difference, dollars, each, either, equal, equals, explain why, fact,
      false, figure out, given, given text, greater than, half, how many, how much, impact, in total, left over, less than,
      likely, maximum, minimum, more than, number of, numbers, observation, observed, older, plan, possible, product, rate,
      reasons, respectively, results, scenario, statement is, still, study, taller, term, terms, the following text, total,
      true, twice, value, which of the following, younger`,
    ],
    [
      3,
      // German, French, Spanish, Portuguese, Italian, Russian, Chinese, Japanese, Korean
      `analizar, analiza, analysieren, analysiere, analyser, analisar, analise, analizza, berechne, beweise, calcula, calcular,
      calcule, calcola, comparar, compara, comparer, confronta, démontre, démontrer, demuestra, gleichung, löse, prouver,
      probabilidad, probabilité, resolver, resuelve, résous, résoudre, vergleiche, vergleichen, wahrscheinlichkeit, ecuación,
      équation, вероятность, вычисли, докажи, реши, решите, сравни, сравните, анализ, проанализируй, 分析, 比较, 比較, 计算, 計算, 证明, 證明,
      求解, 概率, 方程, 推理, 確率, 分析して, 計算して, 계산, 비교, 분석, 확률, 증명`,
    ],
  ],
  general: [
    [
      2,
      `advice, best places, best way to, best ways to, capital of, cook, dinner, exercise, fun facts, gift, give me some, healthy,
      hobby, holiday, ingredients, most popular, oven, places to visit, recipe, recommend, recommendation, restaurants, sightseeing,
      suggest, suggestions, tell me about, things to do, tips, tourist, trivia, vacation, weather, what are some, workout`,
    ],
    [
      1,
      `actor, actress, band, book, cake, capital city, city, country, cup, everyday, famous, film, food, health, history, king,
      life, meal, mountain, movie, music, nickname, olympics, people, planet, president, queen, river, singer, sleep, sport,
      stress, team, town, travel, trip, tv, war, world cup`,
    ],
    [
      2,
      // German, French, Spanish, Portuguese, Italian, Russian, Chinese, Japanese, Korean
      `conseils, consejos, consigli, dicas, empfehlung, hauptstadt, recette, receta, receita, ricetta, reise, rezept, tipps, viaje,
      voyage, рецепт, совет, советы, столица, посоветуй, 推荐, 推薦, 建议, 首都, 旅行, 旅游, 食谱, おすすめ, レシピ, 추천, 수도, 여행`,
    ],
  ],
};

/** What a request opens with, looked for among its first few words only; the first one found counts. */
export const OPENERS: Readonly<Record<Category, readonly Shelf[]>> = {
  code: [
    [
      2,
      'archive all, copy all, debug, delete all, display all, find all, fix, implement, list all, print, refactor, remove all, search for',
    ],
    [1, 'how do i, how to, i have a, i am trying to, i m trying to'],
  ],
  writing: [
    [
      2,
      'as a, compose, continue, draft, edit, improve, pretend, rewrite, rephrase, paraphrase, write, you are a, translate',
    ],
  ],
  analysis: [
    [
      2,
      'analyse, analyze, assess, calculate, classify, compare, compute, design, determine, develop a, devise, evaluate, examine, extract, find the, given, how many, if, identify, in how many, is the following, let, prove, show that, simplify, solve, suppose, using the',
    ],
  ],
  general: [
    [
      2,
      `can you explain, did, do, does, for what, for which, how are, how can, how can i, how could, how did, how do, how does, how is,
      how long, how often, how old, how should i, in what, in which, name the, should i, tell me, was, were, what, what s, what is,
      what was, what were, what are, when, when did, when was, where, which, who, whom, whose, why`,
    ],
    [1, 'describe, discuss, explain, give, is, are, make a, provide, suggest'],
    [
      2,
      `comment, où, pourquoi, quand, quel, quelle, quelles, quels, qui, was ist, wann, warum, welche, welcher, welches, wer, wie, wo,
      cómo, cuál, cuándo, dónde, por qué, qué, quién, como, onde, qual, quando, quem, chi, come, dove, perché, где, как, какая,
      какой, когда, кто, почему, что такое, 为什么, 什么是, 如何, 怎么, 怎样, 谁, 哪`,
    ],
  ],
};

/** Verbs that ask for something to be made; what is made is the first product named after them. */
export const MAKERS = `build, come up with, compose, craft, create, deliver, design, develop, draft, generate, give, give me, implement, make,
  need, prepare, produce, provide, want, write, writing, wrote, written, crea, crear, crie, escreva, escribe, escribir, escriba, écris,
  écrire, écrivez, erstelle, erstellen, implementiere, redacta, rédige, rédigez, schreib, schreibe, schreiben, scrivi, verfasse,
  напиши, напишите, создай, اكتب, लिखो, लिखिए, লেখো, tulis, tuliskan, menuliskan, buat, buatlah, yaz, viết, 写, 寫, 编写, 撰写, 書いて, 作って`;

/** What is asked for, when a maker verb goes before it. */
export const PRODUCTS: Readonly<Record<Category, string>> = {
  code: `api, app, application, bash command, bot, class, cli, code, code snippet, command, component, crawler, css, decorator, dockerfile,
    endpoint, function, game, html, implementation, interface, library, loop, macro, makefile, method, migration, module, one liner,
    parser, plugin, program, query, regex, regexp, regular expression, script, server, shell command, shell script, snippet, solution,
    sql, struct, stylesheet, subroutine, test case, unit test, web page, webpage, website, fonction, función, função, funktion,
    funzione, klasse, programa, programm, programme, script en, функцию, программу, код, 代码, 函数, 程序, 関数, プログラム`,
  writing: `ad, advertisement, announcement, apology, article, autobiography, bio, biography, blog, brochure, caption, chapter, conversation,
    cover letter, description, dialogue, diary, editorial, email, ending, essay, eulogy, fable, greeting, haiku, headline, introduction,
    invitation, job description, joke, letter, limerick, love letter, lyrics, manual, memo, message, monologue, movie script, narrative,
    newsletter, note, novel, obituary, ode, opening, outline, paper, paragraph, parody, personal statement, poem, post, press release,
    profile, proposal, prose, rap, reflection, reply, report, resume, review, rhyme, scene, screenplay, sequel, short story, sketch,
    slogan, song, sonnet, speech, statement, story, tagline, tale, tech blog, testimonial, text message, thread, toast, tutorial, tweet,
    verse, words, aufsatz, artikel, brief, gedicht, geschichte, rede, rezension, article, conte, discours, histoire, lettre, poème,
    poême, artículo, carta, correo, cuento, discurso, ensayo, historia, poema, poesía, reseña, texto, carta, conto, cerita, puisi,
    письмо, рассказ, стих, стихотворение, эссе, قصة, قصيدة, مقال, 故事, 文章, 诗, 信, 作文, 邮件, 物語, 詩`,
  analysis: `analysis, assessment, breakdown, chart, comparison, critique, evaluation, flowchart, forecast, formula, hypothesis, plan, proof,
    pros and cons, recovery plan, response plan, schedule, strategy, sudoku, summary, swot, timeline, travel plan, treatment plan`,
  general: `advice, answer, detailed response, example, examples, fun facts, guide, ideas, itinerary, list, names, questionnaire,
    recipe, recommendations, response, suggestions, tips, workout`,
};

/** Words with a second meaning, each with the company in which it is not a cue. */
export const OTHER_SENSES: Readonly<Record<string, string>> = {
  class: `airline, ballet, business class, classmates, dance, english class, exam, first class, flight, grade, history class, homework,
    hotel, lesson, middle class, professor, pupils, school, social class, society, students, teacher, ticket, train, travel, upper class,
    working class, yoga`,
  classes:
    'dance, grade, high school, lower classes, professor, pupils, school, social classes, society, students, teacher, yoga',
  email: 'email address, email addresses, email field, email regex, email validation, smtp',
  exception: 'exception to, exceptions to, no exception, the rule, with the exception of, without exception',
  function: 'executive function, heart, kidney, liver, lung, organ, purpose, wedding',
  import: 'cars, customs, duties, duty, export, exporter, goods, tariff, tariffs, tax, taxes, trade',
  java: 'coffee, indonesia, indonesian, island, volcano',
  letter: 'alphabet, capital letter, each letter, first letter, last letter, letters of, lowercase, string, uppercase',
  loop: 'fruit loop, hiking, in the loop, loop trail, out of the loop',
  module: 'course, lunar, space station',
  program: 'exercise, fitness, government, loyalty, scholarship, television, training program, tv, workout',
  python: 'monty, pet, reptile, snake, snakes',
  rust: 'bicycle, car, iron, metal, steel',
  script: 'actor, film, movie, movie script, scene, screenplay, theatre, youtube',
  shell: 'beach, crab, egg, sea, turtle',
  story: 'building, house, storey, user story',
  swift: 'bird, taylor',
  variable: 'annuity, climate, random variable, weather',
};
