SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci;

-- The database itself. Everything in it names it in full, so that no file depends on a USE.
CREATE DATABASE IF NOT EXISTS podium
    DEFAULT CHARACTER SET utf8mb4
    DEFAULT COLLATE utf8mb4_0900_ai_ci;
